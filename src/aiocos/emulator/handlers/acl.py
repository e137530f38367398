"""Handlers of access control lists, stored as the name of a canned ACL.

The service supports `public-read` only. `public-read-write` is stored for buckets; other canned ACLs of S3 are treated as
private, because IAM decides everything else. Grants to single users are refused, since the emulator could not enforce them.

An ACL can be a canned name, a document or a set of grant headers. Grants are converted to the equivalent canned ACL. In each
form, a grant to everybody or to all authenticated users is public, and refused if the bucket blocks public ACLs.
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from aiocos.emulator import public_access
from aiocos.emulator.context import Context, denied, failure, handles, owner
from aiocos.emulator.handlers.bucket_state import current_bucket
from aiocos.emulator.handlers.lookup import must_find
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
_CANNED_FOR_GRANT = {
    (EVERYBODY, "READ"): "public-read",
    (EVERYBODY, "WRITE"): "public-read-write",
    (EVERYBODY, "FULL_CONTROL"): "public-read-write",
    (AUTHENTICATED, "READ"): "authenticated-read",
}
"""The canned ACL equivalent to a grant to a group. Other grants to groups are not supported."""
_RANK = ("private", "authenticated-read", "public-read", "public-read-write")
_PERMISSIONS = frozenset({"FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"})
_GRANTEES = re.compile(r'(?:[^",]|"[^"]*"?)+')


class _Grant(NamedTuple):
    """A grant from a document or a header."""

    permission: str
    id: str | None = None
    uri: str | None = None


def canned(name: str | None) -> str:
    """Return the ACL stored for a canned name.

    Without a name, or with an empty one, it is `private`.
    """
    found = _CANNED.get(name or "")
    if found is None:
        raise failure("InvalidArgument", f"{name!r} is not a canned ACL")
    return found


def acl_of_headers(op: ObjectAclParams, bucket: BucketRow | None, owners: Collection[str]) -> str:
    """Return the canned ACL that is requested by the headers of a write.

    Raises `AccessDenied` if the bucket blocks public ACLs.

    Grants to the ids in `owners` are allowed: they own the object. `bucket` is None for a bucket that is being created.
    """
    grants = _grants_of_headers(op)
    if op.acl and grants:
        raise failure("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    return _canned_for(grants, bucket, owners) if grants else _allowed(canned(op.acl), bucket)


def _allowed(acl: str, bucket: BucketRow | None) -> str:
    if bucket is not None:
        public_access.refuse_public(bucket, acl)
    return acl


def _grants_of_headers(op: ObjectAclParams) -> list[_Grant]:
    headers = {
        "FULL_CONTROL": op.grant_full_control,
        "READ": op.grant_read,
        "READ_ACP": op.grant_read_acp,
        "WRITE_ACP": op.grant_write_acp,
        "WRITE": op.grant_write if isinstance(op, AclParams) else None,
    }
    return [grants for permission, text in headers.items() if text for grants in _grantees(permission, text)]


def _grantees(permission: str, text: str) -> Iterable[_Grant]:
    for one in _GRANTEES.findall(text):
        kind, _, value = one.partition("=")
        kind, value = kind.strip().lower(), value.strip().strip('"')
        if kind not in ("id", "uri", "emailaddress") or not value:
            raise failure("InvalidArgument", f"A grant header must be id=, uri= or emailAddress=, not {one.strip()!r}")
        yield _Grant(permission, id=value if kind == "id" else None, uri=value if kind == "uri" else None)


def _grants_of_document(policy: AccessControlPolicy) -> Iterable[_Grant]:
    for grant in policy.grants:
        if grant.grantee is None or grant.permission not in _PERMISSIONS:
            raise failure("MalformedXML", f"A grant needs a grantee and a permission: {', '.join(sorted(_PERMISSIONS))}.")
        yield _Grant(grant.permission, grant.grantee.id, grant.grantee.uri)


def _canned_for(grants: Iterable[_Grant], bucket: BucketRow | None, owners: Collection[str]) -> str:
    """Return the canned ACL equivalent to grants.

    Blocked grants are refused before unsupported ones.
    """
    grants = list(grants)
    acl, supported = "private", True
    for grant in grants:
        equivalent = _CANNED_FOR_GRANT.get((grant.uri or "", grant.permission))
        if equivalent is not None:
            acl = max(acl, equivalent, key=_RANK.index)
        elif grant.uri is not None or grant.id not in owners:
            supported = False
    if any(grant.uri in (EVERYBODY, AUTHENTICATED) for grant in grants):
        _allowed("public-read", bucket)
    if not supported:
        raise OperationNotSupported(
            "only read access for everybody can be granted, besides access for the owner", status=501, code="NotImplemented"
        )
    return acl


def _acl_of_request(op: PutBucketAcl | PutObjectAcl, bucket: BucketRow, guid: str) -> str:
    """Return the canned ACL that a request to replace an ACL contains."""
    by_header = op.acl is not None or bool(_grants_of_headers(op))
    if by_header and op.policy is not None:
        raise failure("UnexpectedContent", "Send an ACL as headers or as a document, not both.")
    if by_header:
        return acl_of_headers(op, bucket, {guid})
    if op.policy is None:
        raise failure("MissingRequestBodyError", "Request body is empty.")
    bucket_owner = op.policy.owner.id if op.policy.owner is not None else None
    return _canned_for(_grants_of_document(op.policy), bucket, {guid, bucket_owner or guid})


def _grants(acl: str, guid: str) -> list[Grant]:
    grants = [Grant(grantee=Grantee(type="CanonicalUser", id=guid, display_name=guid), permission="FULL_CONTROL")]
    everybody = {"public-read": ["READ"], "public-read-write": ["READ", "WRITE"]}.get(acl, [])
    return grants + [Grant(grantee=Grantee(type="Group", uri=EVERYBODY), permission=name) for name in everybody]


@handles(GetBucketAcl)
async def get_bucket(ctx: Context, op: GetBucketAcl) -> AccessControlPolicy:
    """Return a bucket's ACL."""
    guid = ctx.guid(ctx.bucket.instance)
    return AccessControlPolicy(owner=owner(guid), grants=_grants(ctx.bucket.acl, guid))


@handles(PutBucketAcl, role="Manager")
async def put_bucket(ctx: Context, op: PutBucketAcl) -> Result:
    """Replace a bucket's ACL."""
    bucket = ctx.bucket
    acl = _acl_of_request(op, bucket, ctx.guid(bucket.instance))

    def write(t: Transaction) -> None:
        public_access.refuse_public(current_bucket(t, bucket), acl)
        buckets.set_acl(t, bucket.id, acl)

    await ctx.store.write(write)
    return Result()


@handles(GetObjectAcl)
async def get_object(ctx: Context, op: GetObjectAcl) -> ObjectAccess:
    """Return an object's ACL."""
    found = must_find(ctx.store.connection, ctx.bucket.id, op.key, op.version_id)
    return ObjectAccess(owner=owner(found.owner), grants=_grants(found.acl, found.owner))


@handles(PutObjectAcl, role="Manager")
async def put_object(ctx: Context, op: PutObjectAcl) -> RequestChargedResult:
    """Replace an object's ACL."""
    if not ctx.is_owner:
        raise denied()
    bucket = ctx.bucket
    acl = _acl_of_request(op, bucket, ctx.guid(bucket.instance))

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        public_access.refuse_public(current, acl)
        objects.set_acl(t, must_find(t.connection, current.id, op.key, op.version_id).serial, acl)

    await ctx.store.write(write)
    return RequestChargedResult()
