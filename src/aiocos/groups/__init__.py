"""Groups of methods by noun: the classes of `client.buckets`, `client.objects`, …

Most methods send one operation (`Call`). A few do more: a read is a stream, a listing fetches page after page, a bulk deletion
is cut into batches, a restore can be waited for.
"""

from aiocos.call import Engine
from aiocos.groups.acl import Acl
from aiocos.groups.buckets import Buckets
from aiocos.groups.cors import Cors
from aiocos.groups.legal_holds import LegalHolds
from aiocos.groups.lifecycle import Lifecycle
from aiocos.groups.multipart import Multipart
from aiocos.groups.object_lock import ObjectLock
from aiocos.groups.objects import Objects
from aiocos.groups.protection import Protection
from aiocos.groups.public_access import PublicAccess
from aiocos.groups.replication import Replication
from aiocos.groups.retention import Retention
from aiocos.groups.tagging import Tagging
from aiocos.groups.versioning import Versioning
from aiocos.groups.website import Website


class Service:
    """All groups of methods over one engine.

    `aiocos.transfer` is written against this class. `Client` adds credentials, transfers and `close`.
    """

    buckets: Buckets
    """Create, list, check and delete buckets."""
    objects: Objects
    """Put, read, list, copy and delete objects; restore them, presign URLs, change their metadata."""
    multipart: Multipart
    """Multipart uploads step by step. `client.upload` does all the steps."""
    acl: Acl
    """Access control lists of buckets and objects."""
    protection: Protection
    """Retention policies of buckets (Immutable Object Storage, IBM)."""
    retention: Retention
    """Retention periods of single objects in buckets with a retention policy (IBM)."""
    legal_holds: LegalHolds
    """Legal holds of single objects in buckets with a retention policy (IBM)."""
    object_lock: ObjectLock
    """Object Lock: default lock of a bucket, retention and legal hold of object versions (S3)."""
    website: Website
    """Static website hosting of buckets."""
    lifecycle: Lifecycle
    """Lifecycle rules of buckets: archive, expire, abort incomplete multipart uploads."""
    cors: Cors
    """Cross-origin resource sharing (CORS) rules of buckets."""
    versioning: Versioning
    """Versioning of buckets."""
    replication: Replication
    """Replication rules of buckets, and the objects that could not be replicated."""
    public_access: PublicAccess
    """Public access block of buckets: ignore access control lists that make objects public."""
    tagging: Tagging
    """Tags of objects and buckets."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.buckets = Buckets(engine)
        self.objects = Objects(engine)
        self.multipart = Multipart(engine)
        self.acl = Acl(engine)
        self.protection = Protection(engine)
        self.retention = Retention(engine)
        self.legal_holds = LegalHolds(engine)
        self.object_lock = ObjectLock(engine)
        self.website = Website(engine)
        self.lifecycle = Lifecycle(engine)
        self.cors = Cors(engine)
        self.versioning = Versioning(engine)
        self.replication = Replication(engine)
        self.public_access = PublicAccess(engine)
        self.tagging = Tagging(engine)


class _Noun:
    """A group as an attribute of the class.

    `dir()`, `help()` and mocks with a spec look there. Instances have groups of their own, which hide it.
    """

    def __init__(self, kind: type[object]) -> None:
        self._kind = kind

    def __get__(self, instance: object, owner: type[object]) -> type[object]:
        """Return the class of the group."""
        return self._kind


for _name, _kind in Service.__annotations__.items():
    setattr(Service, _name, _Noun(_kind))


def engine_of(service: Service) -> Engine:
    """Return the engine of a client.

    For modules of this package that send requests themselves.
    """
    return service._engine  # pyright: ignore[reportPrivateUsage]


__all__ = [
    "Acl",
    "Buckets",
    "Cors",
    "LegalHolds",
    "Lifecycle",
    "Multipart",
    "ObjectLock",
    "Objects",
    "Protection",
    "PublicAccess",
    "Replication",
    "Retention",
    "Service",
    "Tagging",
    "Versioning",
    "Website",
    "engine_of",
]
