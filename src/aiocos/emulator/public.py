"""What anybody may see: the access control lists of a bucket and its objects, and the block that stands before them."""

from functools import lru_cache

from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import AccessDenied
from aiocos.operations.public_access import PublicAccessBlockConfiguration

BLOCK = "publicAccessBlock"

PUBLIC = frozenset({"public-read", "public-read-write", "authenticated-read"})
"""The canned lists that are public: for everybody, or for everybody who has an account with any customer."""


@lru_cache(256)
def _parsed(xml: str) -> PublicAccessBlockConfiguration:
    return PublicAccessBlockConfiguration.from_xml(xml.encode())


def _block(bucket: BucketRow) -> PublicAccessBlockConfiguration | None:
    xml = bucket.settings.get(BLOCK)
    return None if xml is None else _parsed(xml)


def acl_of(bucket: BucketRow) -> str:
    """The canned list of a bucket that counts."""
    block = _block(bucket)
    return "private" if block is not None and block.ignore_public_acls else bucket.acl


def is_public(bucket: BucketRow, found: ObjectRow) -> bool:
    """Tell whether anybody may read an object."""
    block = _block(bucket)
    return found.acl.startswith("public-read") and not (block is not None and block.ignore_public_acls)


def refuse_public(bucket: BucketRow, acl: str) -> None:
    """Refuse a public list where the bucket blocks new ones."""
    block = _block(bucket)
    if acl in PUBLIC and block is not None and block.block_public_acls:
        raise AccessDenied("Public access control lists are blocked for this bucket.", status=403, code="AccessDenied")
