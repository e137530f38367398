"""Writes the reference pages of operations and documents from the classes that the client itself uses.

    python docs/writing_reference.py some/directory

The build of the documentation calls `write`. No part of these pages is written by hand.
"""

from __future__ import annotations

import inspect
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path as File
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

sys.path.insert(0, str(File(__file__).parent))

from walk_model import NOT_SERVED, offered

import aiocos.errors
from aiocos.describe import field_texts, summary_of
from aiocos.ibm_boto3 import inputs, responses
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.operations import every_operation
from aiocos.wire.document import Attribute, Document, Element, NotInXml, Text, pascal, unwrap
from aiocos.wire.spec import (
    Body,
    Header,
    HeaderMap,
    KeyHeaders,
    Local,
    Operation,
    Parameter,
    Path,
    Payload,
    Query,
)

_LINK = re.compile(r"https://cloud\.ibm\.com/docs/\S+")

_ABOUT = """# Operations

Every operation of the service that the client offers, with its parameters and where each travels in the request. Parameters
marked **required** have no default. Every method also takes `timeout`, the deadline of the whole call in seconds. Besides the
errors listed here, every call may raise `AccessDenied`, `NoSuchBucket`, `Throttled`, `Unavailable`, `TransportError` and
`CredentialsError`. [Documents](documents.md) describes the fields of documents and results.

"""


def operations_page() -> str:
    """Return the page of all operations, as Markdown."""
    out = [_ABOUT]
    methods = offered()
    module: ModuleType | None = None
    for cls in _operations():
        if inspect.getmodule(cls) is not module:
            module = inspect.getmodule(cls)
            assert module is not None
            out.append(_heading(module))
        out.append(_operation(cls, methods.get(cls.__name__, [])))
    out.append(
        "## Not offered\n\nOperations of IBM's SDK that the service does not document.\n\n| Operation | Why not |\n|---|---|\n"
    )
    out += [f"| {name} | {reason} |\n" for name, reason in sorted(NOT_SERVED.items())]
    return "".join(out)


def documents_page() -> str:
    """Return the page of all documents: XML bodies, and the results of methods."""
    out = ["# Documents\n\nXML documents that are sent and received, and the results of all methods.\n\n"]
    for cls in sorted(_documents(), key=lambda c: c.__name__):
        out.append(f"## {cls.__name__}\n\n{summary_of(cls)}\n\n")
        fields = {name: info for name, info in cls.model_fields.items() if name != "request_id"}
        if not fields:
            out.append("No fields besides `request_id`.\n\n")
            continue
        texts = field_texts(cls)
        out.append("| Field | Type | Location | |\n|---|---|---|---|\n")
        for name, info in fields.items():
            mark = next((m for m in info.metadata if isinstance(m, Element | Attribute | Text | NotInXml)), None)
            need = "" if not info.is_required() else " **required**"
            place = _document_place(name, mark)
            out.append(f"| `{name}` | {_type(info.annotation)}{need} | {place} | {_cell(texts.get(name, ''))} |\n")
        out.append("\n")
    return "".join(out)


_FACE = """# As in ibm_boto3

The operations by their names in IBM's SDK, as `aiocos.ibm_boto3` offers them: the parameters (**required** ones in bold), and
the keys that a response may have besides `ResponseMetadata`.

| Method | Parameters | Response | Typed client |
|---|---|---|---|
"""


def face_page() -> str:
    """Return the page of the operations as `aiocos.ibm_boto3` offers them."""
    out, methods = [_FACE], offered()
    for method, cls in sorted(OPERATIONS.items()):
        members = inputs.input_members(cls.spec)
        takes = [f"**{name}**" if name in members and members[name].required else name for name in inputs.input_names(cls.spec)]
        typed = ", ".join(f"`{name}`" for name in methods.get(cls.__name__, []))
        out.append(f"| `{method}` | {', '.join(takes)} | {', '.join(responses.member_names(cls))} | {typed} |\n")
    return "".join(out)


def write(directory: File) -> None:
    """Write the pages to a directory."""
    directory.mkdir(exist_ok=True)
    (directory / "operations.md").write_text(operations_page())
    (directory / "documents.md").write_text(documents_page())
    (directory / "ibm-boto3.md").write_text(face_page())


def _operations() -> list[type[Operation[Any]]]:
    known = list(every_operation().values())
    return sorted(known, key=lambda cls: cls.__module__)


def _heading(module: ModuleType) -> str:
    text = inspect.cleandoc(module.__doc__ or "")
    links = "".join(f"<{link}>\n" for link in _LINK.findall(text))
    text = _LINK.sub("", text).strip()
    title = module.__name__.rpartition(".")[2].replace("_", " ").capitalize()
    return f"## {title}\n\n{text}\n\n{links and f'IBM: {links}'}\n"


def _operation(cls: type[Operation[Any]], methods: list[str]) -> str:
    s = cls.spec
    query = "&".join(f"{n}={v}" if v else n for n, v in s.query)
    path = "/" + "/".join(part for part, there in (("{bucket}", s.has_bucket), ("{key}", s.has_key)) if there)
    line = f"{s.method} {path}{'?' + query if query else ''}"
    out = [f"### {cls.__name__}\n\n`{line}` → {s.success_status}\n\n", inspect.cleandoc(cls.__doc__ or ""), "\n\n"]
    out.append(f"Method: {', '.join(f'`client.{m}`' for m in methods)}. Result: [{s.result.__name__}]({_at(s.result)}).")
    if errors := _errors(cls.__doc__ or ""):
        out.append(f" Raises: {', '.join(f'`{e}`' for e in errors)}.")
    if not s.idempotent:
        out.append(" Not retried if the response is lost: a second request could have another effect.")
    out.append("\n\n| Parameter | Type | Location | |\n|---|---|---|---|\n")
    texts = field_texts(cls)
    for p in s.parameters:
        if isinstance(p.location, Local):
            continue
        default = "" if p.required or p.default in (None, b"") else f" = `{p.default!r}`"
        need = " **required**" if p.required else ""
        out.append(f"| `{p.name}` | {_type(p.type)}{default}{need} | {_place(p)} | {_cell(texts.get(p.name, ''))} |\n")
    return "".join(out) + "\n"


def _errors(text: str) -> list[str]:
    raised = text.partition("Raises")[2]
    return [name for name in re.findall(r"`(\w+)`", raised) if hasattr(aiocos.errors, name)]


def _at(cls: type[Document]) -> str:
    return f"documents.md#{cls.__name__.lower()}"


def _place(p: Parameter) -> str:
    place = p.location
    if isinstance(place, Path):
        return "path"
    if isinstance(place, Query):
        return f"query `{place.name}`"
    if isinstance(place, Header):
        return f"header `{place.name}`"
    if isinstance(place, HeaderMap):
        return f"headers `{place.prefix}*`"
    if isinstance(place, KeyHeaders):
        return f"headers `{place.prefix}algorithm`, `…key`, `…key-MD5`"
    if isinstance(place, Payload):
        return "body"
    assert isinstance(place, Body)
    document = place.of or unwrap(p.type)
    return f"body `<{document.root or document.__name__}>`{', Content-MD5' if place.md5 else ''}"


def _document_place(name: str, mark: Any) -> str:
    if isinstance(mark, Header):
        return f"header `{mark.name}`"
    if isinstance(mark, HeaderMap):
        return f"headers `{mark.prefix}*`"
    if isinstance(mark, Attribute):
        return f"attribute `{mark.name}`"
    if isinstance(mark, Text):
        return "text"
    if isinstance(mark, Element):
        return f"`<{mark.name}>`" + (f", read from `<{mark.also}>` too" if mark.also else "")
    return f"`<{pascal(name)}>`"


_SIMPLE = {datetime: "datetime", timedelta: "timedelta", NoneType: "None"}


def _type(annotation: Any) -> str:
    kind = unwrap(annotation)
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value!r}`" for value in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_type(a) for a in get_args(kind) if a is not NoneType)
    if get_origin(kind) in (list, tuple):
        return f"{get_origin(kind).__name__} of {', '.join(_type(a) for a in get_args(kind) if a is not Ellipsis)}"
    if get_origin(kind) is dict:
        return f"dict of {' to '.join(_type(a) for a in get_args(kind))}"
    if isinstance(kind, type) and issubclass(kind, Document):
        return f"[{kind.__name__}]({_at(kind)})"
    return _SIMPLE.get(kind) or getattr(kind, "__name__", str(kind))


def _documents() -> set[type[Document]]:
    found: set[type[Document]] = set()

    def enter(annotation: Any) -> None:
        kind = unwrap(annotation)
        if isinstance(kind, type) and issubclass(kind, Document):
            if kind not in found:
                found.add(kind)
                for info in kind.model_fields.values():
                    enter(info.annotation)
            return
        for inner in get_args(kind):
            enter(inner)

    for cls in _operations():
        enter(cls.spec.result)
        for p in cls.spec.parameters:
            enter(p.type)
            if isinstance(p.location, Body) and p.location.of is not None:
                enter(p.location.of)
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write(File(sys.argv[1] if len(sys.argv) > 1 else "."))
