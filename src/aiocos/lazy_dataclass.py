"""Dataclasses whose methods are compiled when they are first used.

`dataclasses.dataclass` writes the source of `__init__`, `__eq__` and the other methods of a class and compiles it, which takes
about half a millisecond for a class. The library has two hundred of them, and a program uses a few. `dataclass` of this module
makes the same class, with the same parameters: `dataclasses.dataclass` does its work when a method, or the list of fields, is
needed for the first time. After that, the class has the compiled methods themselves, so an instance is made as fast as ever.
Many classes, such as those of settings, have one instance in a program. The first instance is therefore made without a compiled
`__init__`, and the second one compiles it.

A declaration that `dataclasses.dataclass` would refuse is refused at that time, too, and not at the import. A test uses every
class of the library.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Callable
from functools import partial
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast, get_origin

if TYPE_CHECKING:
    from dataclasses import dataclass
    from dataclasses import dataclass as interpreted_dataclass

T = TypeVar("T")

_lock = threading.RLock()

# Attributes of a compiled class, and the parameters of `dataclass` that ask for them.
_FIELDS = ("__dataclass_fields__", "__dataclass_params__", "__match_args__")
_ALWAYS = (*_FIELDS, "__replace__") if sys.version_info >= (3, 13) else _FIELDS
_IF_FROZEN = ("__setattr__", "__delattr__")
# The fields that a class declares itself.
_OWN = "__declared_fields__"
# Those of its bases as well.
_ALL = "__all_declared_fields__"


class _Compile:
    """An attribute that compiles its class when it is read, and is replaced then."""

    __slots__ = ("_name", "_work")

    def __init__(self, work: _Work, name: str) -> None:
        self._work, self._name = work, name

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Compile the class and return its attribute."""
        self._work.do()
        value: Any = self._work.made.__dict__[self._name]
        bind: Any = getattr(cast("Any", type(value)), "__get__", None)
        return value if bind is None else bind(value, instance, owner)


class _First(_Compile):
    """An `__init__` that fills the first instance itself.

    Read from the class, or for another instance, it compiles the class.
    """

    __slots__ = ()

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return a function that initializes `instance`."""
        made = self._work.made
        # `inspect.signature` binds it to the class.
        if instance is None or instance is made or self._work.has_instance:
            return super().__get__(instance, owner)
        self._work.has_instance = True
        return partial(self._fill, instance)

    def _fill(self, instance: Any, /, *args: Any, **kwargs: Any) -> None:
        fields = declared_fields(self._work.made)
        put = object.__setattr__ if self._work.frozen else setattr
        values = dict(zip((name for name, field in fields.items() if field.positional), args, strict=False))
        if len(values) == len(args) and not values.keys() & kwargs.keys():
            values.update(kwargs)
            if all(field.init or name not in values for name, field in fields.items()) and values.keys() <= fields.keys():
                missing = [name for name, field in fields.items() if field.init and field.required and name not in values]
                if not missing:
                    for name, field in fields.items():
                        if name in values:
                            put(instance, name, values[name])
                        elif field.factory is not None:
                            put(instance, name, field.factory())
                        elif field.default is not dataclasses.MISSING:
                            put(instance, name, field.default)
                    if hasattr(instance, "__post_init__"):
                        instance.__post_init__()
                    return
        # The compiled method raises the error.
        super().__get__(instance)(*args, **kwargs)


class _Work:
    """The compilation of one class, which is done once."""

    def __init__(self, source: type[Any], options: dict[str, bool]) -> None:
        self._source: type[Any] | None = source
        self._options = options
        self.made: type[Any] = source
        self.names: list[str] = []
        self.has_instance = False
        self.frozen = options["frozen"]

    def do(self) -> None:
        """Let `dataclasses.dataclass` make the methods, and put them into the class."""
        with _lock:
            source, made, names = self._source, self.made, self.names
            if source is None:
                return
            if source is made:
                # Without slots: the class itself is completed.
                waiting = {name: made.__dict__[name] for name in names}
                for name in names:
                    delattr(made, name)
                try:
                    dataclasses.dataclass(**self._options)(made)
                except BaseException:
                    for name, value in waiting.items():
                        setattr(made, name, value)
                    raise
            else:
                compiled = dataclasses.dataclass(**self._options)(source).__dict__
                for name in names:
                    setattr(made, name, compiled[name])
            self._source = None


class Declared(NamedTuple):
    """A field as it is declared."""

    type: Any
    """Type: the annotation."""
    default: Any = dataclasses.MISSING
    """Default; `dataclasses.MISSING` for a field without one, or with a factory."""
    required: bool = True
    """True without default and factory."""
    factory: Callable[[], Any] | None = None
    """Makes the default; None for a field without a factory."""
    init: bool = True
    """True if it is a parameter."""
    positional: bool = True
    """True if it is a parameter that may be given by position."""


def declared_fields(cls: type[Any]) -> dict[str, Declared]:
    """Return the fields of a lazy dataclass, without compiling it.

    They are in the order of `dataclasses.fields`.
    """
    known: dict[str, Declared] | None = cls.__dict__.get(_ALL)
    if known is not None:
        return known
    found: dict[str, Declared] = {}
    for owner in reversed(cls.__mro__):
        found.update(owner.__dict__.get(_OWN, ()))
    return found


def _own_fields(cls: type[Any], kw_only: bool) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    missing: Any = dataclasses.MISSING
    for name, annotation in get_annotations(cls).items():
        if annotation is dataclasses.KW_ONLY or annotation == "KW_ONLY":
            kw_only = True
            continue
        if _is_class_variable(annotation):
            continue
        value: Any = cls.__dict__.get(name, missing)
        if isinstance(value, dataclasses.Field):
            one = cast("dataclasses.Field[Any]", value)
            factory: Any = None if one.default_factory is missing else one.default_factory
            positional = one.init and not (kw_only if one.kw_only is missing else one.kw_only)
            required = one.default is missing and factory is None
            found[name] = Declared(annotation, one.default, required, factory, one.init, positional)
        else:
            found[name] = Declared(annotation, value, value is missing, positional=not kw_only)
    return found


def _is_init_variable(annotation: Any) -> bool:
    return isinstance(annotation, dataclasses.InitVar) or (isinstance(annotation, str) and annotation.startswith("InitVar"))


def _is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.startswith("ClassVar")
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def _decorate(
    cls: type[Any], *, init: bool, repr: bool, eq: bool, frozen: bool, slots: bool, kw_only: bool, interpret: bool = False
) -> type[Any]:
    options = {"init": init, "repr": repr, "eq": eq, "frozen": frozen, "kw_only": kw_only}
    own = _own_fields(cls, kw_only)
    work = _Work(cls, options)
    given = cls.__dict__
    names = [*_ALWAYS]
    init = init and "__init__" not in given
    if init:
        names.append("__init__")
    names += [name for name in ("__repr__",) if repr and name not in given]
    names += [name for name in ("__eq__",) if eq and name not in given]
    if frozen:
        names += _IF_FROZEN
    # `type` has set it to None for a class with an `__eq__` of its own.
    no_hash = "__hash__" not in given or (given["__hash__"] is None and "__eq__" in given)
    if eq and frozen and no_hash:
        names.append("__hash__")
    work.names = [name for name in names if name != "__match_args__" or name not in given]
    later: dict[str, Any] = {name: _Compile(work, name) for name in work.names}
    if init and not any(_is_init_variable(field.type) for field in own.values()):
        later["__init__"] = _First(work, "__init__")
    later[_OWN] = own
    later[_ALL] = every = {**declared_fields(cls), **own}
    if interpret:
        later.update(_INTERPRETED)
        work.names = [name for name in work.names if name not in _INTERPRETED]
    if eq and not frozen and no_hash:
        later["__hash__"] = None
    if not slots:
        for name, value in later.items():
            setattr(cls, name, value)
        return cls
    namespace = {**given, **later}
    inherited = {name for base in cls.__mro__[1:] for name in _slots_of(base)}
    for name in every:
        namespace.pop(name, None)
    namespace["__slots__"] = tuple(name for name in every if name not in inherited)
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    if frozen:
        namespace.setdefault("__getstate__", _get_state)
        namespace.setdefault("__setstate__", _set_state)
    metaclass: Any = type(cls)
    made: type[Any] = metaclass(cls.__name__, cls.__bases__, namespace)
    work.made = made
    made.__qualname__ = cls.__qualname__
    return made


# -- methods that are not compiled --------------------------------------------------------------------------------------


def _fields_of(self: object) -> dict[str, Declared]:
    return declared_fields(type(self))


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    fields = _fields_of(self)
    values = dict(zip(fields, args, strict=False))
    if len(args) > len(fields) or not fields.keys() >= kwargs.keys() or values.keys() & kwargs.keys():
        raise TypeError(f"{type(self).__qualname__} has the fields {', '.join(fields)}, each of which can be given once")
    values.update(kwargs)
    for name, field in fields.items():
        if name not in values and field.required:
            raise TypeError(f"{type(self).__qualname__} needs the field {name}")
        object.__setattr__(self, name, values.get(name, field.default))


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in _fields_of(self))


def _equals(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _represent(self: Any) -> str:
    shown = zip(_fields_of(self), _values(self), strict=True)
    return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in shown)})"


def _refuse(self: object, name: str, *value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


_INTERPRETED: dict[str, Any] = {
    "__init__": _init,
    "__eq__": _equals,
    "__hash__": _hash,
    "__repr__": _represent,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
}


def _slots_of(cls: type[Any]) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=False):
        object.__setattr__(self, field.name, value)


if not TYPE_CHECKING:

    def dataclass(
        cls: type[T] | None = None,
        /,
        *,
        init: bool = True,
        repr: bool = True,
        eq: bool = True,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
    ) -> type[T] | Callable[[type[T]], type[T]]:
        """Make a class a dataclass that is compiled later; a class decorator.

        The parameters are those of `dataclasses.dataclass`.
        """

        def decorate(cls: type[Any]) -> type[Any]:
            return _decorate(cls, init=init, repr=repr, eq=eq, frozen=frozen, slots=slots, kw_only=kw_only)

        return decorate if cls is None else decorate(cls)

    def interpreted_dataclass(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """Make a class a frozen dataclass that is not compiled; a class decorator.

        For classes with few instances, all of which are made at the import, such as the locations of parameters. Making an
        instance takes some microseconds, and compiling the methods as long as a hundred instances.
        """
        if not frozen or not slots:
            raise TypeError("an interpreted dataclass is frozen and has slots")

        def decorate(cls: type[Any]) -> type[Any]:
            options = {"init": True, "repr": True, "eq": True, "frozen": True, "slots": True, "kw_only": False}
            return _decorate(cls, **options, interpret=True)

        return decorate


__all__ = ["Declared", "dataclass", "declared_fields", "interpreted_dataclass"]
