"""The operations of COS, one module per kind of resource.

Client and emulator share them. Nothing here awaits. The operations of a module are registered when it is imported. The client
imports what a call needs; `every_operation` is for programs that have to know all of them, such as the emulator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiocos.wire.spec import Operation, registry

if TYPE_CHECKING:
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
else:
    # Hidden from type checkers: with a `__getattr__` they accept every name, misspelled ones too.
    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")


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


def every_operation() -> dict[str, type[Operation[Any]]]:
    """Import all operations and return them by name, in the order of modules.

    `wire.spec.registry` has them after that, too, in the order of their imports.
    """
    for name in __all__:
        import_module(f"{__name__}.{name}")
    own = [(name, cls) for name, cls in registry.items() if cls.__module__.startswith(f"{__name__}.")]
    return dict(sorted(own, key=lambda item: item[1].__module__))
