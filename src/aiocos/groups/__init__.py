"""The nouns of the service with their methods: what `client.buckets`, `client.objects` … are.

A method is an operation's statement bound to whatever carries it out; here stand, besides, the few that are more than a call:
a read is a stream, a listing pages itself, a bulk deletion is cut into batches, a restore can be waited for.
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
    """All nouns, over one engine. `transfer` is written against this; `Client` adds credentials and a life."""

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


def engine_of(service: Service) -> Engine:
    """Return the engine of a client, for the modules of this package that send requests themselves."""
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
