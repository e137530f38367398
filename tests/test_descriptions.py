"""Everything that a user meets has a text where it is declared: parameters, fields, settings, options, errors, methods.

`python -m tests.test_descriptions` prints how many texts are missing, module by module.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

import aiocos
import aiocos.config
import aiocos.errors
from aiocos.cli.app import app
from aiocos.describe import field_texts
from aiocos.groups import Service
from aiocos.operations import every_operation
from aiocos.transfer import requests, results
from aiocos.transfer.manager import Transfers
from aiocos.transfer.progress import Progress
from aiocos.wire.document import Document
from aiocos.wire.method import Group, Method

SOURCE = Path(str(aiocos.__file__)).parent
Missing = Iterator[tuple[str, str]]
"""Pairs of a module, and of what has no text in it."""

_FIRST_LINE = 79
_OPENINGS = {"What", "How", "Where", "Who", "Whether", "When", "Whose", "Those", "Of"}


# -- fields -----------------------------------------------------------------------------------------------------------


def _without_text(cls: type[Any], names: list[str]) -> Missing:
    texts = field_texts(cls)
    for name in names:
        if not texts.get(name, "").strip():
            # A field of a mix-in is missing once, in its mix-in.
            owner = next((one for one in cls.__mro__ if name in inspect.get_annotations(one)), cls)
            yield owner.__module__, f"{owner.__qualname__}.{name}"


def operation_parameters() -> Missing:
    """Parameters of operations."""
    for cls in every_operation().values():
        yield from _without_text(cls, [p.name for p in cls.spec.parameters])


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    for one in cls.__subclasses__():
        yield one
        yield from _subclasses(one)


def document_fields() -> Missing:
    """Fields of documents and results."""
    every_operation()
    for cls in dict.fromkeys(_subclasses(Document)):
        if cls.__module__.startswith("aiocos.operations.") or cls.__module__.startswith("aiocos.wire."):
            yield from _without_text(cls, list(cls.model_fields))


def settings() -> Missing:
    """Settings of the client."""
    for cls in vars(aiocos.config).values():
        if dataclasses.is_dataclass(cls) and isinstance(cls, type):
            yield from _without_text(cls, [f.name for f in dataclasses.fields(cls)])


def transfer_fields() -> Missing:
    """Parameters of transfers, and fields of their results."""
    operations = {getattr(Transfers, name).operation for name in vars(Transfers) if _is_method(Transfers, name)}
    for cls in [*operations, Progress, results.SyncAction]:
        yield from _without_text(cls, [f.name for f in dataclasses.fields(cls) if f.name != "_"])
    for cls in vars(results).values():
        if isinstance(cls, type) and hasattr(cls, "model_fields") and cls.__module__ == results.__name__:
            yield from _without_text(cls, list(cls.model_fields))
    assert requests.UploadRequest in operations


# -- the command line -------------------------------------------------------------------------------------------------


def options() -> Missing:
    """Options and arguments of the command line, and the commands themselves."""

    def walk(command: Any, name: str) -> Missing:
        module = getattr(command.callback, "__module__", "aiocos.cli.app")
        if not (command.help or "").strip():
            yield module, name
        for parameter in command.params:
            if not (getattr(parameter, "help", None) or "").strip():
                yield module, f"{name} {parameter.opts[0]}"
        for inner, one in getattr(command, "commands", {}).items():
            yield from walk(one, f"{name} {inner}")

    yield from walk(typer.main.get_command(app), "aiocos")


# -- classes, methods and functions -----------------------------------------------------------------------------------


def exceptions() -> Missing:
    """Exception classes."""
    for cls in [aiocos.CosError, *_subclasses(aiocos.CosError)]:
        if cls.__module__.startswith("aiocos.") and not (cls.__dict__.get("__doc__") or "").strip():
            yield cls.__module__, cls.__qualname__


def _is_method(cls: type[Any], name: str) -> bool:
    return isinstance(inspect.getattr_static(cls, name, None), Method)


def _types_in(annotation: Any) -> Iterator[type[Any]]:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        yield annotation
    origin = typing.get_origin(annotation)
    if isinstance(origin, type):
        yield origin
    for inner in typing.get_args(annotation):
        yield from _types_in(inner)


@cache
def public_classes() -> list[type[Any]]:
    """Return the exported classes, the groups, and the classes that their methods return, and so on."""
    exported = [getattr(aiocos, name) for name in aiocos.__all__]
    waiting = [one for one in exported if isinstance(one, type)]
    waiting += [kind for kind in typing.get_type_hints(Service).values() if issubclass(kind, Group)]
    found: dict[type[Any], None] = {}
    while waiting:
        cls = waiting.pop()
        if cls in found or not cls.__module__.startswith("aiocos."):
            continue
        found[cls] = None
        if cls.__module__.startswith("aiocos.auth."):
            continue  # what credentials return is for the client's own use
        for _, value in _members(cls):
            function = value.fget if isinstance(value, property) else value
            if isinstance(value, Method):
                waiting += _types_in(value.result)
            elif callable(function):
                hints = typing.get_type_hints(function, vars(importlib.import_module(cls.__module__)))
                waiting += _types_in(hints.get("return", Any))
    return list(found)


def _members(cls: type[Any]) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that a class of the package defines itself."""
    for name, value in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(value, classmethod | staticmethod):
            yield name, typing.cast("Any", value).__func__
        elif isinstance(value, Method | property) or inspect.isfunction(value):
            yield name, value


def public_names() -> Missing:
    """Public classes, methods and properties without a docstring, and parameters that no docstring mentions."""
    for cls in public_classes():
        where = cls.__module__
        if not (cls.__dict__.get("__doc__") or "").strip() or str(cls.__doc__).startswith(f"{cls.__name__}("):
            yield where, cls.__qualname__
        for name, value in _members(cls):
            text = inspect.getdoc(value) or ""
            if not text.strip():
                yield where, f"{cls.__qualname__}.{name}"
            elif inspect.isfunction(value) and not where.startswith("aiocos.auth."):  # the client calls those
                bases = [inspect.getdoc(vars(base).get(name)) or "" for base in cls.__mro__]
                yield from _unmentioned(value, " ".join([text, *bases]), where, f"{cls.__qualname__}.{name}")
        init = vars(cls).get("__init__")
        made_here = issubclass(cls, BaseException) or dataclasses.is_dataclass(cls) or getattr(cls, "_is_protocol", False)
        if inspect.isfunction(init) and not made_here:
            yield from _unmentioned(init, f"{cls.__doc__}\n{init.__doc__}", where, cls.__qualname__)
        yield from _fields_of_public(cls)
    for name in (n for n in aiocos.__all__ if inspect.isfunction(getattr(aiocos, n))):
        yield from _unmentioned(getattr(aiocos, name), getattr(aiocos, name).__doc__ or "", "aiocos", name)
    for kind in (Service, aiocos.Client):
        names = [name for name in typing.get_type_hints(kind) if not name.startswith("_")]
        yield from _without_text(kind, names)


def _unmentioned(function: Callable[..., Any], text: str, module: str, name: str) -> Missing:
    for parameter in list(inspect.signature(function).parameters)[1:]:
        if not re.search(rf"\b{re.escape(parameter)}\b", text) and not _is_internal(function):
            yield module, f"{name}({parameter})"


def _is_internal(function: Callable[..., Any]) -> bool:
    """Return True for constructors that the package alone calls: they take an engine, a body or a monitor."""
    annotations = " ".join(str(kind) for kind in inspect.get_annotations(function).values())
    return any(word in annotations for word in ("Engine", "Monitor", "StreamedResponse", "Coroutine"))


def _fields_of_public(cls: type[Any]) -> Missing:
    if dataclasses.is_dataclass(cls):
        yield from _without_text(cls, [f.name for f in dataclasses.fields(cls) if not f.name.startswith("_")])
    elif issubclass(cls, tuple) and hasattr(cls, "_fields"):
        yield from _without_text(cls, list(typing.cast("Any", cls)._fields))


# -- docstrings -------------------------------------------------------------------------------------------------------


def docstrings() -> Missing:
    """First lines of all docstrings: at most 79 characters, a period at the end, and no question word at the start."""
    for module in pkgutil.walk_packages([str(SOURCE)], "aiocos."):
        path = SOURCE.joinpath(*module.name.split(".")[1:])
        path = path / "__init__.py" if module.ispkg else path.with_suffix(".py")
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = getattr(node, "name", "the module")
                text = ast.get_docstring(node)
                if text is not None and (wrong := _wrong(text)):
                    yield module.name, f"{name}: {wrong}"
    for kind in (*typing.get_type_hints(Service).values(), Transfers):
        for name, text in field_texts(kind).items():
            if _is_method(kind, name) and (wrong := _wrong(text)):
                yield kind.__module__, f"{kind.__qualname__}.{name}: {wrong}"


def _wrong(text: str) -> str:
    first = text.partition("\n")[0].rstrip()
    if len(first) > _FIRST_LINE:
        return f"{len(first)} characters: {first}"
    if first.split(maxsplit=1)[0].strip(",:") in _OPENINGS or first.startswith("The same"):
        return f"opens with a question word: {first}"
    return ""


CELLS: dict[str, Callable[[], Missing]] = {
    "operation parameters": operation_parameters,
    "document and result fields": document_fields,
    "settings": settings,
    "transfer requests and results": transfer_fields,
    "options of the command line": options,
    "exceptions": exceptions,
    "public names": public_names,
    "first lines": docstrings,
}


@pytest.mark.parametrize("kind", CELLS)
def test_no_cell_is_empty(kind: str):
    missing = sorted(set(CELLS[kind]()))
    assert not missing, f"{len(missing)} {kind}:\n" + "\n".join(f"  {module}: {name}" for module, name in missing)


def test_the_walk_finds_what_it_should():
    names = {cls.__name__ for cls in public_classes()}
    assert {"Client", "Objects", "Listing", "ObjectStream", "TransferHandle", "PutObjectResult", "CosError"} <= names
    assert all(map(_wrong, ["What it does.", "Of a file, the path.", "The same with a type.", "x" * 80]))
    assert not _wrong("Return the path.")


def _main() -> None:
    for kind, find in CELLS.items():
        missing = sorted(set(find()))
        print(f"{len(missing):5} {kind}")
        modules = [module for module, _ in missing]
        for module in dict.fromkeys(modules):
            print(f"      {modules.count(module):5} {module}")


if __name__ == "__main__":
    _main()
