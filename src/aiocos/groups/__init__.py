"""Groups of methods by noun: the classes of `client.buckets`, `client.objects`, …

Most methods send one operation (`Call`). A few do more: a read is a stream, a listing fetches page after page, a bulk deletion
is cut into batches, a restore can be waited for.

A group and its operations are imported when the group is used for the first time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiocos.call import Engine

if TYPE_CHECKING:
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
else:
    # Hidden from type checkers: with a `__getattr__` they accept every name, misspelled ones too.
    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value


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


class _Noun:
    """A group as an attribute of clients, made when it is read for the first time.

    Read on the class, it is the class of the group: `dir()`, `help()` and mocks with a spec look there.
    """

    def __init__(self, name: str, kind: str) -> None:
        self._name, self._kind = name, kind

    def __get__(self, instance: Service | None, owner: type[object]) -> object:
        """Return the group of a client, or the class of the group."""
        kind = getattr(import_module(_HOME[self._kind]), self._kind)
        if instance is None:
            return kind
        # Stored in the client, so the next access is a plain attribute. Of two threads, both get the group of one.
        return instance.__dict__.setdefault(self._name, kind(engine_of(instance)))


class _Annotations(dict[str, Any]):
    """The annotations of `Service`.

    `typing.get_type_hints` gets the classes, which it could not find in this module.
    """

    def items(self) -> Any:
        """Return the names of the groups with their classes."""
        return {name: getattr(import_module(_HOME[kind]), kind) for name, kind in super().items()}.items()


# The module of each class.
_HOME = {kind: f"aiocos.groups.{name}" for name, kind in Service.__annotations__.items()}

for _name, _kind in Service.__annotations__.items():
    setattr(Service, _name, _Noun(_name, _kind))
Service.__annotations__ = _Annotations(Service.__annotations__)


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
