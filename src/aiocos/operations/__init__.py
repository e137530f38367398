"""What COS can be asked, one noun a file: the statements that client and emulator share. No `await` here.

Importing this package registers every operation.
"""

from aiocos.operations import (
    acl,
    buckets,
    cors,
    lifecycle,
    listing,
    multipart,
    object_lock,
    objects,
    protection,
    public_access,
    replication,
    tagging,
    versioning,
    website,
)

__all__ = [
    "acl",
    "buckets",
    "cors",
    "lifecycle",
    "listing",
    "multipart",
    "object_lock",
    "objects",
    "protection",
    "public_access",
    "replication",
    "tagging",
    "versioning",
    "website",
]
