"""Access control lists. What is kept is the name of a canned list; grants are read for the canned list they amount to.

The service promises `public-read` only. `public-read-write` is kept for buckets, and whatever else S3 knows counts as
private, since everything else is decided by IAM. Grants to single users are refused: nothing here could honour them.

However a list comes (by name, by document, by headers), a grant to everybody or to everybody who has an account is public, and
refused where the bucket blocks public lists.
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from aiocos.emulator import public_access
from aiocos.emulator.context import Context, denied, failure, handles, owner
from aiocos.emulator.handlers.finding import must_find
from aiocos.emulator.handlers.state import still_there
from aiocos.emulator.store import BucketRow, Transaction, buckets, objects
from aiocos.errors import OperationNotSupported
from aiocos.operations.acl import (
    AccessControlPolicy,
    GetBucketAcl,
    GetObjectAcl,
    Grant,
    ObjectAccess,
    PutBucketAcl,
    PutObjectAcl,
)
from aiocos.operations.shared import AclParams, Grantee, ObjectAclParams, RequestChargedResult
from aiocos.wire.spec import Result

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
_CANNED = {
    "": "private",
    "private": "private",
    "public-read": "public-read",
    "public-read-write": "public-read-write",
    "authenticated-read": "authenticated-read",
    "aws-exec-read": "private",
    "bucket-owner-read": "private",
    "bucket-owner-full-control": "private",
}
_AMOUNTS = {
    (EVERYBODY, "READ"): "public-read",
    (EVERYBODY, "WRITE"): "public-read-write",
    (EVERYBODY, "FULL_CONTROL"): "public-read-write",
    (AUTHENTICATED, "READ"): "authenticated-read",
}
"""The canned list that a grant to a group amounts to; those that are missing are not served."""
_RANK = ("private", "authenticated-read", "public-read", "public-read-write")
_PERMISSIONS = frozenset({"FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"})
_GRANTEES = re.compile(r'(?:[^",]|"[^"]*"?)+')


class _Given(NamedTuple):
    """A grant, of a document or a header."""

    permission: str
    id: str | None = None
    uri: str | None = None


def canned(name: str | None) -> str:
    """Return the list that a canned name means; `""` and nothing at all mean private."""
    found = _CANNED.get(name or "")
    if found is None:
        raise failure("InvalidArgument", f"{name!r} is no canned access control list")
    return found


def list_of(op: ObjectAclParams, bucket: BucketRow | None, owners: Collection[str]) -> str:
    """Return the canned list that a write's headers ask for; refused where it is public and the bucket blocks that.

    `owners` are the ids that may be granted anything, since they own what is written. A bucket that is made has no block yet.
    """
    given = _in_headers(op)
    if op.acl and given:
        raise failure("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    return _amount_to(given, bucket, owners) if given else _settled(canned(op.acl), bucket)


def _settled(acl: str, bucket: BucketRow | None) -> str:
    if bucket is not None:
        public_access.refuse_public(bucket, acl)
    return acl


def _in_headers(op: ObjectAclParams) -> list[_Given]:
    headers = {
        "FULL_CONTROL": op.grant_full_control,
        "READ": op.grant_read,
        "READ_ACP": op.grant_read_acp,
        "WRITE_ACP": op.grant_write_acp,
        "WRITE": op.grant_write if isinstance(op, AclParams) else None,
    }
    return [given for permission, text in headers.items() if text for given in _grantees(permission, text)]


def _grantees(permission: str, text: str) -> Iterable[_Given]:
    for one in _GRANTEES.findall(text):
        kind, _, value = one.partition("=")
        kind, value = kind.strip().lower(), value.strip().strip('"')
        if kind not in ("id", "uri", "emailaddress") or not value:
            raise failure("InvalidArgument", f"A grant by header is id=, uri= or emailAddress=, not {one.strip()!r}")
        yield _Given(permission, id=value if kind == "id" else None, uri=value if kind == "uri" else None)


def _in_document(policy: AccessControlPolicy) -> Iterable[_Given]:
    for grant in policy.grants:
        if grant.grantee is None or grant.permission not in _PERMISSIONS:
            raise failure("MalformedXML", f"A grant has a grantee and a permission: {', '.join(sorted(_PERMISSIONS))}.")
        yield _Given(grant.permission, grant.grantee.id, grant.grantee.uri)


def _amount_to(given: Iterable[_Given], bucket: BucketRow | None, owners: Collection[str]) -> str:
    """Return the canned list that grants amount to. A blocked one is refused first, also where it would not be served."""
    grants = list(given)
    acl, served = "private", True
    for grant in grants:
        amount = _AMOUNTS.get((grant.uri or "", grant.permission))
        if amount is not None:
            acl = max(acl, amount, key=_RANK.index)
        elif grant.uri is not None or grant.id not in owners:
            served = False
    if any(grant.uri in (EVERYBODY, AUTHENTICATED) for grant in grants):
        _settled("public-read", bucket)
    if not served:
        raise OperationNotSupported(
            "only the owner, and everybody for reading, can be granted something", status=501, code="NotImplemented"
        )
    return acl


def _wanted(op: PutBucketAcl | PutObjectAcl, bucket: BucketRow, guid: str) -> str:
    """Return the canned list that a request about a list asks for."""
    by_header = op.acl is not None or bool(_in_headers(op))
    if by_header and op.policy is not None:
        raise failure("UnexpectedContent", "An access control list comes as a header or as a document, not both.")
    if by_header:
        return list_of(op, bucket, {guid})
    if op.policy is None:
        raise failure("MissingRequestBodyError", "Request body is empty.")
    named = op.policy.owner.id if op.policy.owner is not None else None
    return _amount_to(_in_document(op.policy), bucket, {guid, named or guid})


def _grants(acl: str, guid: str) -> list[Grant]:
    grants = [Grant(grantee=Grantee(type="CanonicalUser", id=guid, display_name=guid), permission="FULL_CONTROL")]
    everybody = {"public-read": ["READ"], "public-read-write": ["READ", "WRITE"]}.get(acl, [])
    return grants + [Grant(grantee=Grantee(type="Group", uri=EVERYBODY), permission=name) for name in everybody]


@handles(GetBucketAcl)
async def get_bucket(ctx: Context, op: GetBucketAcl) -> AccessControlPolicy:
    """Read a bucket's list."""
    guid = ctx.guid(ctx.bucket.instance)
    return AccessControlPolicy(owner=owner(guid), grants=_grants(ctx.bucket.acl, guid))


@handles(PutBucketAcl, role="Manager")
async def put_bucket(ctx: Context, op: PutBucketAcl) -> Result:
    """Replace a bucket's list."""
    named = ctx.bucket
    acl = _wanted(op, named, ctx.guid(named.instance))

    def write(t: Transaction) -> None:
        public_access.refuse_public(still_there(t, named), acl)
        buckets.set_acl(t, named.id, acl)

    await ctx.store.write(write)
    return Result()


@handles(GetObjectAcl)
async def get_object(ctx: Context, op: GetObjectAcl) -> ObjectAccess:
    """Read an object's list."""
    found = must_find(ctx.store.connection, ctx.bucket.id, op.key, op.version_id)
    return ObjectAccess(owner=owner(found.owner), grants=_grants(found.acl, found.owner))


@handles(PutObjectAcl, role="Manager")
async def put_object(ctx: Context, op: PutObjectAcl) -> RequestChargedResult:
    """Replace an object's list."""
    if not ctx.is_owner:
        raise denied()
    named = ctx.bucket
    acl = _wanted(op, named, ctx.guid(named.instance))

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        public_access.refuse_public(bucket, acl)
        objects.set_acl(t, must_find(t.connection, bucket.id, op.key, op.version_id).serial, acl)

    await ctx.store.write(write)
    return RequestChargedResult()
