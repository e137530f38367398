"""Access control lists. What is kept is the name of a canned list; a document is read for the canned list it amounts to.

The service promises `public-read` only. `public-read-write` is kept for buckets, and whatever else S3 knows counts as
private, since everything else is decided by IAM. Grants to single users are refused: nothing here could honour them.
"""

from aiocos.emulator import public
from aiocos.emulator.context import Context, denied, failure, handles, owner
from aiocos.emulator.handlers.finding import must_find
from aiocos.emulator.handlers.state import still_there
from aiocos.emulator.store import Bucket, Transaction, buckets, objects
from aiocos.errors import NotServed
from aiocos.operations.acl import (
    AccessControlPolicy,
    GetBucketAcl,
    GetObjectAcl,
    Grant,
    ObjectAccess,
    PutBucketAcl,
    PutObjectAcl,
)
from aiocos.operations.shared import Charged, Grantee
from aiocos.wire.spec import Result

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
_CANNED = {
    "": "private",
    "private": "private",
    "public-read": "public-read",
    "public-read-write": "public-read-write",
    "authenticated-read": "private",
    "aws-exec-read": "private",
    "bucket-owner-read": "private",
    "bucket-owner-full-control": "private",
}


def canned(name: str | None) -> str:
    """The list that a canned name means; `""` and nothing at all mean private."""
    found = _CANNED.get(name or "")
    if found is None:
        raise failure("InvalidArgument", f"{name!r} is no canned access control list")
    return found


def canned_in(bucket: Bucket, name: str | None) -> str:
    """The list that a new object of a bucket gets; refused where it is public and the bucket blocks that."""
    acl = canned(name)
    public.refuse_public(bucket, acl)
    return acl


def _amounts_to(policy: AccessControlPolicy) -> str:
    acl = "private"
    for grant in policy.grants:
        grantee = grant.grantee
        if grantee is not None and grantee.uri == EVERYBODY:
            if grant.permission == "READ" and acl == "private":
                acl = "public-read"
            elif grant.permission in ("WRITE", "FULL_CONTROL"):
                acl = "public-read-write"
        elif grantee is None or grant.permission is None:
            raise failure("MalformedXML", "a grant has a grantee and a permission")
        elif policy.owner is None or grantee.id != policy.owner.id:
            raise NotServed("only the owner and everybody can be granted something", status=501, code="NotImplemented")
    return acl


def _wanted(op: PutBucketAcl | PutObjectAcl) -> str:
    if op.acl is not None:
        if op.policy is not None:
            raise failure("UnexpectedContent", "an access control list comes as a header or as a document, not both")
        return canned(op.acl)
    if op.grant_read is not None or op.grant_full_control is not None or op.grant_write is not None:
        if op.grant_full_control is None and op.grant_write is None and EVERYBODY in (op.grant_read or ""):
            return "public-read"
        raise NotServed("grants by header are served for reading by everybody only", status=501, code="NotImplemented")
    if op.policy is None:
        raise failure("MissingRequestBodyError", "Request body is empty.")
    return _amounts_to(op.policy)


def _grants(acl: str, guid: str) -> list[Grant]:
    grants = [Grant(grantee=Grantee(type="CanonicalUser", id=guid, display_name=guid), permission="FULL_CONTROL")]
    public = {"public-read": ["READ"], "public-read-write": ["READ", "WRITE"]}.get(acl, [])
    return grants + [Grant(grantee=Grantee(type="Group", uri=EVERYBODY), permission=name) for name in public]


@handles(GetBucketAcl)
async def get_bucket(ctx: Context, op: GetBucketAcl) -> AccessControlPolicy:
    """Read a bucket's list."""
    guid = ctx.guid(ctx.bucket.instance)
    return AccessControlPolicy(owner=owner(guid), grants=_grants(ctx.bucket.acl, guid))


@handles(PutBucketAcl, role="Manager")
async def put_bucket(ctx: Context, op: PutBucketAcl) -> Result:
    """Replace a bucket's list."""
    acl, named = _wanted(op), ctx.bucket

    def write(t: Transaction) -> None:
        public.refuse_public(still_there(t, named), acl)
        buckets.set_acl(t, named.id, acl)

    await ctx.store.write(write)
    return Result()


@handles(GetObjectAcl)
async def get_object(ctx: Context, op: GetObjectAcl) -> ObjectAccess:
    """Read an object's list."""
    found = must_find(ctx.store.point, ctx.bucket.id, op.key, op.version_id)
    return ObjectAccess(owner=owner(found.owner), grants=_grants(found.acl, found.owner))


@handles(PutObjectAcl, role="Manager")
async def put_object(ctx: Context, op: PutObjectAcl) -> Charged:
    """Replace an object's list."""
    if not ctx.is_owner:
        raise denied()
    acl, named = _wanted(op), ctx.bucket

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        public.refuse_public(bucket, acl)
        objects.set_acl(t, must_find(t.connection, bucket.id, op.key, op.version_id).serial, acl)

    await ctx.store.write(write)
    return Charged()
