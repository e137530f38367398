"""The handlers, one noun a file. Importing this package enters them all.

A handler is a function of a context and a typed operation; it returns the operation's result or raises the service's error.
What arrived has been parsed by the operation's statement before, and its result is written by it afterwards. A handler reads
a header itself only where the service keeps its text as it came, or is stricter about its form than the statement.
"""

from aiocos.emulator.handlers import (
    acl,
    buckets,
    cors,
    deleting,
    holds,
    lifecycle,
    listing,
    multipart,
    object_lock,
    parts,
    protection,
    public_access,
    reading,
    replication,
    tagging,
    versioning,
    website,
    writing,
)

__all__ = [
    "acl",
    "buckets",
    "cors",
    "deleting",
    "holds",
    "lifecycle",
    "listing",
    "multipart",
    "object_lock",
    "parts",
    "protection",
    "public_access",
    "reading",
    "replication",
    "tagging",
    "versioning",
    "website",
    "writing",
]
