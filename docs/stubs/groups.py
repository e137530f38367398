"""Stubs of the modules whose methods are made from operations: `aiocos/groups/*.py` and `aiocos/transfer/manager.py`.

A checker sees the signature of `put = Call(PutObject)` in the module itself, but neither it nor an editor finds the text of the
method and of its parameters there. In the stub `put` is an ordinary method with both.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import os
import types
import typing
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from emit import docstring
from skeleton import Skeleton

import aiocos
from aiocos.transfer.file_objects import Source
from aiocos.transfer.progress import Callback
from aiocos.wire.message import Bytes
from aiocos.wire.method import Method

PACKAGE = Path(str(aiocos.__file__)).parent
# Types that are written by their names, not by what they are made of.
_ALIASES: dict[Any, tuple[str, str]] = {
    Bytes: ("aiocos.wire.message", "Bytes"),
    Source: ("aiocos.transfer.file_objects", "Source"),
    Callback: ("aiocos.transfer.progress", "Callback"),
}
_ELSEWHERE: dict[Any, tuple[str, str]] = {os.PathLike: ("os", "PathLike"), typing.BinaryIO: ("typing", "BinaryIO")}


def modules() -> list[str]:
    """Return the names of the modules that have a stub."""
    groups = sorted(path.stem for path in (PACKAGE / "groups").glob("*.py") if path.stem != "__init__")
    return [*(f"aiocos.groups.{name}" for name in groups), "aiocos.transfer.manager"]


def path_of(module: str) -> Path:
    """Return the path of a module's stub."""
    return PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".pyi")


def write(module: str) -> str:
    """Return the source of the stub of a module."""
    members = vars(importlib.import_module(module)).items()
    own = {name: cls for name, cls in members if isinstance(cls, type) and cls.__module__ == module and name[0] != "_"}
    used, added = _Types(set(own)), dict[str, str]()
    for name, cls in own.items():
        used.hidden = set(vars(cls))
        methods = {key: value for key, value in vars(cls).items() if isinstance(value, Method)}
        added[name] = "".join(_method(key, method, used) for key, method in methods.items())
    source = Skeleton(path_of(module).with_suffix(".py"), added=added, imports=used.imports()).write()
    return source.replace("docs/stubs/write.py", "docs/stubs/write_groups.py")


def _method(name: str, method: Method[Any, ..., Any], used: _Types) -> str:
    signature = inspect.signature(method)
    shown: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        shown.append(_parameter(parameter, used))
    prefix = "async def" if method.returns_coroutine else "def"
    text = docstring(str(method.__doc__), 8)
    return f"    {prefix} {name}({', '.join(shown)}) -> {used.text(signature.return_annotation)}:\n{text}"


def _parameter(parameter: inspect.Parameter, used: _Types) -> str:
    if parameter.name == "self":
        return "self"
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{parameter.name}: {used.text(parameter.annotation)}{default}"


class _Types:
    """Types as text, and the imports that the texts need."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        """Names of the module's own classes. A type of the same name is written with its module."""
        self.hidden: set[str] = set()
        """Names that the class itself defines: a method `list` hides the builtin within its class."""
        self._names: set[tuple[str, str]] = set()
        self._modules: set[str] = set()

    def text(self, annotation: Any) -> str:
        """Return a type as source."""
        if annotation is None or annotation is types.NoneType:
            return "None"
        if annotation is Any:
            return self._name("typing", "Any")
        origin, arguments = get_origin(annotation), get_args(annotation)
        if known := _known(annotation):
            return self._name(*known)
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is Literal:
            return f"{self._name('typing', 'Literal')}[{', '.join(map(repr, arguments))}]"
        if origin is collections.abc.Callable:
            taken = ", ".join(map(self.text, arguments[0]))
            return f"{self._name('collections.abc', 'Callable')}[[{taken}], {self.text(arguments[1])}]"
        if origin is not None:
            return f"{self.text(origin)}[{', '.join(map(self.text, arguments))}]"
        if annotation.__module__ == "builtins":
            if annotation.__name__ in self.hidden:
                self._modules.add("builtins")
                return f"builtins.{annotation.__name__}"
            return annotation.__name__
        return self._name(annotation.__module__, annotation.__qualname__)

    def imports(self) -> str:
        """Return the imports of all types that were written."""
        loads = "".join(f"from {module} import {name}\n" for module, name in sorted(self._names))
        return "".join(f"import {module}\n" for module in sorted(self._modules)) + loads

    def _union(self, members: tuple[Any, ...]) -> str:
        rest = list(members)
        out: list[str] = []
        for alias, place in _ALIASES.items():
            inner = get_args(alias)
            if get_origin(alias) in (Union, types.UnionType) and all(one in rest for one in inner):
                rest = [one for one in rest if one not in inner]
                out.append(self._name(*place))
                break
        nothing = [one for one in rest if one is types.NoneType]
        return " | ".join([*out, *(self.text(one) for one in rest if one is not types.NoneType), *map(self.text, nothing)])

    def _name(self, module: str, name: str) -> str:
        if name in self._taken:
            self._modules.add(module)
            return f"{module}.{name}"
        self._names.add((module, name))
        return name


def _known(annotation: Any) -> tuple[str, str] | None:
    table = _ALIASES | _ELSEWHERE
    return next((place for alias, place in table.items() if alias == annotation), None)
