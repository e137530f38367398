"""The operations of COS, one module per kind of resource.

Client and emulator share them. Nothing here awaits. Importing this package registers every operation.
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
