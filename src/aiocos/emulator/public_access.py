"""Public access: effective ACLs, and the public access block."""

from functools import lru_cache

from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import AccessDenied
from aiocos.operations.public_access import PublicAccessBlockConfiguration

BLOCK = "publicAccessBlock"

PUBLIC = frozenset({"public-read", "public-read-write", "authenticated-read"})
"""Canned ACLs that are public: for everybody, or for every account."""


@lru_cache(256)
def _parsed(xml: str) -> PublicAccessBlockConfiguration:
    return PublicAccessBlockConfiguration.from_xml(xml.encode())


def _block(bucket: BucketRow) -> PublicAccessBlockConfiguration | None:
    xml = bucket.settings.get(BLOCK)
    return None if xml is None else _parsed(xml)


def acl_of(bucket: BucketRow) -> str:
    """Return the effective canned ACL of a bucket.

    It is `private` if the bucket ignores public ACLs.
    """
    block = _block(bucket)
    return "private" if block is not None and block.ignore_public_acls else bucket.acl


def is_public(bucket: BucketRow, found: ObjectRow) -> bool:
    """Return True if anonymous callers may read an object."""
    block = _block(bucket)
    return found.acl.startswith("public-read") and not (block is not None and block.ignore_public_acls)


def refuse_public(bucket: BucketRow, acl: str) -> None:
    """Raise `AccessDenied` for a public ACL if the bucket blocks new public ACLs."""
    block = _block(bucket)
    if acl in PUBLIC and block is not None and block.block_public_acls:
        raise AccessDenied("Public access control lists are blocked for this bucket.", status=403, code="AccessDenied")
