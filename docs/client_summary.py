"""Generates the lists of methods on the client page.

    python docs/client_summary.py some/directory

The build of the documentation calls `write`. Each noun of the client gets a table of its methods with the first sentence of
their docstrings, then the full text of the methods that are more than one operation.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

from aiocos import groups
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


def _linked(noun: str, name: str, method: Any) -> str:
    shown = f"`{noun}.{name}`"
    operation = method.operation if isinstance(method, Method) else None
    if isinstance(operation, type) and issubclass(operation, Operation):
        return f"[{shown}](operations.md#{operation.__name__.lower()})"
    return shown


def _check() -> None:
    listed = {cls for nouns in NOUNS.values() for _, cls, _ in nouns}
    known = {cls for cls in vars(groups).values() if isinstance(cls, type) and issubclass(cls, Group)}
    missing = known - listed - {Group}
    if missing:
        raise SystemExit(f"docs/client_summary.py does not list {', '.join(sorted(cls.__name__ for cls in missing))}")


def write(directory: Path) -> None:
    """Write the generated part of the client page into a directory."""
    _check()
    directory.mkdir(exist_ok=True)
    (directory / "_nouns.md").write_text(summary())


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
