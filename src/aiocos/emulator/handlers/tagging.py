"""Tags of objects and of buckets. An object's tags are kept in the form that the header `x-amz-tagging` has."""

import re
from urllib.parse import parse_qsl, urlencode

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.finding import must_find
from aiocos.emulator.handlers.settings import configure, configured, none_of
from aiocos.emulator.handlers.state import still_there
from aiocos.emulator.replication import changed
from aiocos.emulator.store import ObjectRow, Transaction, objects
from aiocos.operations.shared import Tag
from aiocos.operations.tagging import (
    DeleteBucketTagging,
    DeleteObjectTagging,
    GetBucketTagging,
    GetObjectTagging,
    ObjectTagged,
    ObjectTagSet,
    PutBucketTagging,
    PutObjectTagging,
    Tagging,
    TagSet,
)
from aiocos.wire.spec import Result

MAX_TAGS = 10
MAX_BUCKET_TAGS = 50
# What either page of the documentation allows, besides letters, digits and space.
_ALLOWED = re.compile(r"[\w +\-=._:/@*']*")


def _bad(message: str) -> Exception:
    return failure("InvalidTag", message)


def check(pairs: list[tuple[str, str]], most: int = MAX_TAGS) -> None:
    """Refuse tags that are not allowed."""
    if len(pairs) > most:
        raise _bad(f"There are {most} tags at most, not {len(pairs)}.")
    if len({key for key, _ in pairs}) < len(pairs):
        raise _bad("Cannot provide multiple Tags with the same key")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or len(key.encode()) > 256:
            raise _bad("The key of a tag has 1 to 128 characters, and 256 bytes at most.")
        if len(value) > 256 or len(value.encode()) > 512:
            raise _bad("The value of a tag has 256 characters and 512 bytes at most.")
        if key.startswith("ibm:"):
            raise _bad("The key of a tag does not begin with ibm:")
        if not _ALLOWED.fullmatch(key) or not _ALLOWED.fullmatch(value):
            raise _bad("A tag holds letters, digits, spaces and + - = . _ : / @ * '")


def of_header(text: str) -> str:
    """Return the tags of the header `x-amz-tagging` as they are kept; refused where they are not allowed."""
    try:
        # A name alone is a tag with an empty value.
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise failure("InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded") from None
    check(pairs)
    return urlencode(pairs)


def _tags(text: str) -> list[Tag]:
    return [Tag(key=k, value=v) for k, v in parse_qsl(text, keep_blank_values=True)]


def _pairs(tags: list[Tag] | dict[str, str]) -> list[tuple[str, str]]:
    return list(tags.items()) if isinstance(tags, dict) else [(tag.key, tag.value) for tag in tags]


def _version(ctx: Context, found: ObjectRow) -> str | None:
    return found.version_id if ctx.bucket.versioning is not None else None


@handles(GetObjectTagging)
async def get_object(ctx: Context, op: GetObjectTagging) -> ObjectTagSet:
    """Read an object's tags."""
    found = must_find(ctx.store.connection, ctx.bucket.id, op.key, op.version_id)
    return ObjectTagSet(tags=_tags(found.headers.get("tagging", "")), version_id=_version(ctx, found))


async def _set(ctx: Context, key: str, version_id: str | None, text: str) -> ObjectTagged:
    named, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> ObjectRow:
        bucket = still_there(t, named)
        found = must_find(t.connection, bucket.id, key, version_id)
        headers = {n: v for n, v in found.headers.items() if n != "tagging"} | ({"tagging": text} if text else {})
        objects.set_headers(t, found.serial, headers)
        changed(t, bucket, found.copy(headers=headers), now)
        return found

    return ObjectTagged(version_id=_version(ctx, await ctx.store.write(write)))


@handles(PutObjectTagging)
async def put_object(ctx: Context, op: PutObjectTagging) -> ObjectTagged:
    """Replace an object's tags."""
    assert not isinstance(op.tags, TagSet)  # as every request is read
    pairs = _pairs(op.tags)
    check(pairs)
    return await _set(ctx, op.key, op.version_id, urlencode(pairs))


@handles(DeleteObjectTagging)
async def delete_object(ctx: Context, op: DeleteObjectTagging) -> ObjectTagged:
    """Remove an object's tags."""
    return await _set(ctx, op.key, op.version_id, "")


@handles(GetBucketTagging)
async def get_bucket(ctx: Context, op: GetBucketTagging) -> TagSet:
    """Read a bucket's tags."""
    return configured(ctx, "tagging", TagSet, none_of("NoSuchTagSet", "The TagSet does not exist"))


@handles(PutBucketTagging)
async def put_bucket(ctx: Context, op: PutBucketTagging) -> Result:
    """Replace a bucket's tags."""
    assert not isinstance(op.tags, TagSet)  # as every request is read
    pairs = _pairs(op.tags)
    check(pairs, MAX_BUCKET_TAGS)
    return await configure(ctx, "tagging", Tagging(tags=[Tag(key=k, value=v) for k, v in pairs]))


@handles(DeleteBucketTagging)
async def delete_bucket(ctx: Context, op: DeleteBucketTagging) -> Result:
    """Remove a bucket's tags."""
    return await configure(ctx, "tagging", None)
