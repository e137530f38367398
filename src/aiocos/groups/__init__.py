"""The nouns of the service with their methods: what `client.buckets`, `client.objects` … are.

A method is an operation's statement bound to whatever carries it out; here stand, besides, the few that are more than a call:
a read is a stream, a listing pages itself, a bulk deletion is cut into batches.
"""

from aiocos.call import Engine
from aiocos.groups.buckets import Buckets
from aiocos.groups.multipart import Acl, Multipart
from aiocos.groups.objects import Objects


class Service:
    """All nouns, over one engine. `transfer` is written against this; `Client` adds credentials and a life."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.buckets = Buckets(engine)
        self.objects = Objects(engine)
        self.multipart = Multipart(engine)
        self.acl = Acl(engine)


__all__ = ["Acl", "Buckets", "Multipart", "Objects", "Service"]
