"""What COS can be asked, one noun a file: the statements that client and emulator share. No `await` here.

Importing this package registers every operation.
"""

from aiocos.operations import acl, buckets, listing, multipart, objects

__all__ = ["acl", "buckets", "listing", "multipart", "objects"]
