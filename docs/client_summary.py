"""Generates the lists of methods on the pages of the client and of transfers.

    python docs/client_summary.py some/directory

The build of the documentation calls `write`. Each noun of the client gets a table of its methods with the first sentence of
their docstrings, then the full text of the methods that are more than one operation. Each transfer gets its docstring and a
table of its parameters.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from pathlib import Path
from types import FunctionType
from typing import Annotated, Any, get_args, get_origin

from sphinx.util.typing import stringify_annotation

import aiocos
from aiocos import describe, groups
from aiocos.wire.method import Group, Method
from aiocos.wire.spec import Operation

# The nouns of the client by subject, each with its class and a sentence about it.
NOUNS: dict[str, list[tuple[str, type[Group[Any]], str]]] = {
    "Objects and buckets": [
        ("objects", groups.Objects, "Put, read, list, copy, delete, presign and restore objects."),
        ("buckets", groups.Buckets, "Create, list, inspect and delete buckets."),
        ("multipart", groups.Multipart, "The single steps of a multipart upload. `client.upload` does all of them for you."),
        ("tagging", groups.Tagging, "Tags of objects and of buckets."),
        ("acl", groups.Acl, "Access control lists of objects and of buckets."),
    ],
    "Immutability": [
        ("protection", groups.Protection, "Retention policies of buckets (Immutable Object Storage)."),
        ("retention", groups.Retention, "Extend the retention of objects in a bucket with a retention policy."),
        ("legal_holds", groups.LegalHolds, "Named legal holds on objects in a bucket with a retention policy."),
        ("object_lock", groups.ObjectLock, "Object Lock: retention and legal holds of object versions."),
    ],
    "Bucket settings": [
        ("lifecycle", groups.Lifecycle, "Rules that archive or expire objects and abort stale uploads."),
        ("versioning", groups.Versioning, "Enable, suspend and read versioning."),
        ("replication", groups.Replication, "Rules that replicate new objects to another bucket."),
        ("website", groups.Website, "Static website hosting."),
        ("cors", groups.Cors, "Which web pages of other origins may call the bucket."),
        ("public_access", groups.PublicAccess, "Block access control lists that make objects public."),
    ],
}


def methods(cls: type[Any]) -> dict[str, Any]:
    """Return the public methods of a class in the order of their declaration, inherited ones first."""
    found: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith("aiocos."):
            found |= {
                name: value
                for name, value in vars(owner).items()
                if not name.startswith("_") and isinstance(value, Method | FunctionType)
            }
    return found


def first_sentence(text: str | None) -> str:
    """Return the first sentence of a docstring as one line of a Markdown table."""
    paragraph = " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.!?]) (?=[A-Z`])", paragraph, maxsplit=1)[0].removesuffix("::").rstrip()
    return sentence.replace("|", "\\|")


def summary() -> str:
    """Return the Markdown of all nouns."""
    out: list[str] = []
    for subject, nouns in NOUNS.items():
        out.append(f"## {subject}\n\n")
        for noun, cls, text in nouns:
            out.append(f"### client.{noun}\n\n{text}\n\n| Method | |\n|---|---|\n")
            known = methods(cls)
            out += [f"| {_linked(noun, name, method)} | {first_sentence(method.__doc__)} |\n" for name, method in known.items()]
            out.append("\n")
            functions = [name for name, method in known.items() if isinstance(method, FunctionType)]
            if functions:
                out.append(
                    f"```{{eval-rst}}\n.. currentmodule:: {cls.__module__}\n\n"
                    + "\n".join(f".. automethod:: {cls.__name__}.{name}\n" for name in functions)
                    + "```\n\n"
                )
    return "".join(out)


TRANSFERS = ("upload", "download", "copy", "upload_directory", "download_directory", "sync")


def transfers() -> str:
    """Return the Markdown of all transfers, with a table of parameters for each."""
    out: list[str] = []
    for name in TRANSFERS:
        method: Any = inspect.getattr_static(aiocos.Client, name)
        request = method.operation
        fields = [field for field in dataclasses.fields(request) if field.init]
        # Positional parameters and those of the transfer itself come first, then what it shares with operations.
        own: set[str] = set(inspect.get_annotations(request))
        fields.sort(key=lambda field: (field.kw_only, field.name not in own))
        given = ", ".join(field.name for field in fields if not field.kw_only)
        text = "\n".join(f"   {line}".rstrip() for line in inspect.cleandoc(request.__doc__ or "").splitlines())
        out.append(f"## client.{name}\n\n```{{eval-rst}}\n.. py:method:: {name}({given}, *, …)\n   :async:\n")
        out.append(f"   :no-contents-entry:\n\n{text}\n```\n\n")
        out.append(f"`client.start_{name}` takes the same parameters and returns a `TransferHandle` at once.\n\n")
        out.append("| Parameter | Type | |\n|---|---|---|\n")
        texts = field_texts(request)
        for field in fields:
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            default = " **required**" if required else "" if field.default is None else f" = `{field.default!r}`"
            out.append(f"| `{field.name}` | `{type_of(field)}`{default} | {texts.get(field.name, '')} |\n")
        out.append("\n")
    return "".join(out)


def type_of(field: dataclasses.Field[Any]) -> str:
    """Return the type of a field as it is written in the source, without what `Annotated` adds to it."""
    kind: Any = field.type
    if isinstance(kind, str):
        match ast.parse(kind, mode="eval").body:
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, *_])):
                text = ast.unparse(inner)
            case _:
                text = kind
    else:
        kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        text = stringify_annotation(kind, "smart").replace("~", "")
    return text.replace("|", "\\|")


def field_texts(cls: type[Any]) -> dict[str, str]:
    """Return the string under each field of a class, inherited fields included, as one line of a Markdown table."""
    return {name: " ".join(text.split()).replace("|", "\\|") for name, text in describe.field_texts(cls).items()}


def _linked(noun: str, name: str, method: Any) -> str:
    shown = f"`{noun}.{name}`"
    operation: Any = method.operation if isinstance(method, Method) else None
    if isinstance(operation, type) and issubclass(operation, Operation):
        return f"[{shown}](reference/operations.md#{operation.__name__.lower()})"
    return shown


def _check() -> None:
    listed: set[type[Any]] = {cls for nouns in NOUNS.values() for _, cls, _ in nouns}
    known: set[type[Any]] = {cls for cls in vars(groups).values() if isinstance(cls, type) and issubclass(cls, Group)}
    missing = known - listed - {Group}
    if missing:
        raise SystemExit(f"docs/client_summary.py does not list {', '.join(sorted(cls.__name__ for cls in missing))}")


def write(directory: Path) -> None:
    """Write the generated part of the client page into a directory."""
    _check()
    directory.mkdir(exist_ok=True)
    (directory / "_nouns.md").write_text(summary())
    (directory / "_transfers.md").write_text(transfers())


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
