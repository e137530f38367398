"""Handlers of tags of objects and buckets.

The database keeps an object's tags in the format of the header `x-amz-tagging` (`a=1&b=2`), and a bucket's as the document sent.
"""

import re
from urllib.parse import parse_qsl, urlencode

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.bucket_state import current_bucket
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration, replace_configuration
from aiocos.emulator.handlers.lookup import must_find
from aiocos.emulator.replication import update_replica
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
# Characters that one of the documentation's pages allows, besides letters, digits and space.
_ALLOWED = re.compile(r"[\w +\-=._:/@*']*")


def _invalid(message: str) -> Exception:
    return failure("InvalidTag", message)


def check(pairs: list[tuple[str, str]], maximum: int = MAX_TAGS) -> None:
    """Raise `InvalidTag` for tags that are not allowed."""
    if len(pairs) > maximum:
        raise _invalid(f"At most {maximum} tags are allowed, not {len(pairs)}.")
    if len({key for key, _ in pairs}) < len(pairs):
        raise _invalid("Cannot provide multiple Tags with the same key")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or len(key.encode()) > 256:
            raise _invalid("The key of a tag must have 1 to 128 characters and at most 256 bytes.")
        if len(value) > 256 or len(value.encode()) > 512:
            raise _invalid("The value of a tag must have at most 256 characters and 512 bytes.")
        if key.startswith("ibm:"):
            raise _invalid("The key of a tag must not begin with ibm:")
        if not _ALLOWED.fullmatch(key) or not _ALLOWED.fullmatch(value):
            raise _invalid("A tag can have letters, digits, spaces and + - = . _ : / @ * '")


def parse_header(text: str) -> str:
    """Return the tags of the header `x-amz-tagging` in stored form.

    Raises `InvalidTag` for tags that are not allowed.
    """
    try:
        # A name without `=` is a tag with an empty value.
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
    """Return an object's tags."""
    found = must_find(ctx.store.connection, ctx.bucket.id, op.key, op.version_id)
    return ObjectTagSet(tags=_tags(found.headers.get("tagging", "")), version_id=_version(ctx, found))


async def _set(ctx: Context, key: str, version_id: str | None, text: str) -> ObjectTagged:
    bucket, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> ObjectRow:
        current = current_bucket(t, bucket)
        found = must_find(t.connection, current.id, key, version_id)
        headers = {n: v for n, v in found.headers.items() if n != "tagging"} | ({"tagging": text} if text else {})
        objects.set_headers(t, found.serial, headers)
        update_replica(t, current, found.copy(headers=headers), now)
        return found

    return ObjectTagged(version_id=_version(ctx, await ctx.store.write(write)))


@handles(PutObjectTagging)
async def put_object(ctx: Context, op: PutObjectTagging) -> ObjectTagged:
    """Replace an object's tags."""
    assert not isinstance(op.tags, TagSet)  # never, in a parsed request
    pairs = _pairs(op.tags)
    check(pairs)
    return await _set(ctx, op.key, op.version_id, urlencode(pairs))


@handles(DeleteObjectTagging)
async def delete_object(ctx: Context, op: DeleteObjectTagging) -> ObjectTagged:
    """Remove an object's tags."""
    return await _set(ctx, op.key, op.version_id, "")


@handles(GetBucketTagging)
async def get_bucket(ctx: Context, op: GetBucketTagging) -> TagSet:
    """Return a bucket's tags."""
    return read_configuration(ctx, "tagging", TagSet, no_configuration("NoSuchTagSet", "The TagSet does not exist"))


@handles(PutBucketTagging)
async def put_bucket(ctx: Context, op: PutBucketTagging) -> Result:
    """Replace a bucket's tags."""
    assert not isinstance(op.tags, TagSet)  # never, in a parsed request
    pairs = _pairs(op.tags)
    check(pairs, MAX_BUCKET_TAGS)
    return await replace_configuration(ctx, "tagging", Tagging(tags=[Tag(key=k, value=v) for k, v in pairs]))


@handles(DeleteBucketTagging)
async def delete_bucket(ctx: Context, op: DeleteBucketTagging) -> Result:
    """Remove a bucket's tags."""
    return await replace_configuration(ctx, "tagging", None)
