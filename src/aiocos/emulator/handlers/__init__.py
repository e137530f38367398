"""The handlers of operations, one subject per file.

Importing this package registers all of them.

A handler is a function of a context and a typed operation. It returns the operation's result or raises the service's error.
The operation's spec parses the request before the handler runs, and writes the result afterwards. A handler reads a header
itself only if the service stores the header's text unchanged, or checks the form of a value more strictly than the spec.
"""

from aiocos.emulator.handlers import (
    acl,
    buckets,
    cors,
    delete_objects,
    get_object,
    legal_holds,
    lifecycle,
    listing,
    multipart,
    object_lock,
    parts,
    protection,
    public_access,
    put_object,
    replication,
    tagging,
    versioning,
    website,
)

__all__ = [
    "acl",
    "buckets",
    "cors",
    "delete_objects",
    "get_object",
    "legal_holds",
    "lifecycle",
    "listing",
    "multipart",
    "object_lock",
    "parts",
    "protection",
    "public_access",
    "put_object",
    "replication",
    "tagging",
    "versioning",
    "website",
]
