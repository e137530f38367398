"""The handlers, one noun a file. Importing this package enters them all.

A handler is a function of a context and a typed operation; it returns the operation's result or raises the service's error.
What arrived has been parsed by the operation's statement before, and its result is written by it afterwards: no handler looks
at a header or a document of its own.
"""

from aiocos.emulator.handlers import (
    acl,
    buckets,
    cors,
    deleting,
    lifecycle,
    listing,
    multipart,
    object_lock,
    parts,
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
    "lifecycle",
    "listing",
    "multipart",
    "object_lock",
    "parts",
    "public_access",
    "reading",
    "replication",
    "tagging",
    "versioning",
    "website",
    "writing",
]
