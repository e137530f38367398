"""The command `api`: call any operation of the service by its name.

::

    aiocos api                                            list all operations
    aiocos api put-bucket-website --help                  show the parameters of one operation
    aiocos api put-bucket-website --bucket b --website-configuration @site.json

Documents are given as JSON, inline or from a file (`@site.json`, or `@-` for standard input). Their keys are the names of the
client's fields or of the XML elements. Results are printed as JSON.
"""

import json
import re
import secrets
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, BinaryIO, Union, cast, get_args, get_origin

import typer
from pydantic import ValidationError

from aiocos.cli.display import say, show_json
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.groups import engine_of
from aiocos.operations.objects import GetObject
from aiocos.transfer.download.target import Target
from aiocos.transfer.reserved_names import hidden_name
from aiocos.wire.describe import field_texts
from aiocos.wire.document import Document, describe_validation_error, plan_of, unwrap
from aiocos.wire.spec import Body, Header, HeaderMap, KeyHeaders, Local, Operation, Parameter, Payload, registry
from aiocos.wire.spec import Path as InPath
from aiocos.wire.values import codec


def kebab(name: str) -> str:
    """Convert a name to an option name: `PutBucketWebsite` → `put-bucket-website`, `version_id` → `version-id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", name).lower()


def api(
    context: typer.Context,
    operation: Annotated[
        str | None,
        typer.Argument(
            help="Name of the operation, such as put-bucket-website. Without it, all are listed.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File that get-object writes. Default: standard output.")
    ] = None,
    as_help: Annotated[bool, typer.Option("--help", "-h", help="Show the parameters of the operation.")] = False,
) -> None:
    """Call any operation of the service by its name. Results are printed as JSON."""
    by_name = {kebab(name): cls for name, cls in registry.items() if cls.__module__.startswith("aiocos.")}
    if operation is None:
        if as_help:
            say(context.get_help())
            return
        for name, cls in sorted(by_name.items()):
            say(f"{name:36} {_first_line(cls)}")
        return
    cls = by_name.get(operation)
    if cls is None:
        raise typer.BadParameter(f"there is no operation {operation}: `aiocos api` lists them")
    if as_help:
        _explain(operation, cls)
        return
    call = _build(cls, context.args)

    async def work(client: Client) -> None:
        if isinstance(call, GetObject):
            await _get(client, call, output)
        else:
            show_json(await engine_of(client).call(call))

    settings().run(work)


def _first_line(cls: type[Operation[Any]]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _names(p: Parameter) -> list[str]:
    """Return the option names of a parameter: its own, and for a document the name of its XML root element."""
    names = [kebab(p.name)]
    if isinstance(p.location, Body):
        document = p.location.of or cast("type[Document]", unwrap(p.type))
        names.append(kebab(document.root or document.__name__))
    return names


def _offered(cls: type[Operation[Any]]) -> list[Parameter]:
    return [p for p in cls.spec.parameters if not isinstance(p.location, Local) or p.name == "timeout"]


_FORMS: dict[type[object], str] = {
    Body: "JSON, or @file",
    Payload: "text, or @file",
    HeaderMap: "name=value,…",
    KeyHeaders: "@file of 32 bytes",
}


def _explain(name: str, cls: type[Operation[Any]]) -> None:
    say(f"aiocos api {name}\n\n{(cls.__doc__ or '').strip()}\n")
    texts = field_texts(cls)
    for p in _offered(cls):
        kind = _FORMS.get(type(p.location), "")
        options = ", ".join(f"--{one}" for one in dict.fromkeys(_names(p)))
        say(f"  {options:44} {kind}{' (required)' if p.required else ''}".rstrip())
        if text := " ".join(texts.get(p.name, "").split()):
            say(textwrap.fill(text, 100, initial_indent=" " * 8, subsequent_indent=" " * 8, break_on_hyphens=False))


def _build(cls: type[Operation[Any]], arguments: list[str]) -> Operation[Any]:
    """Build the operation from command-line options. Raises `typer.BadParameter` for options that do not fit."""
    known = {option: p for p in _offered(cls) for option in _names(p)}
    values: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        name, equals, value = option.removeprefix("--").partition("=")
        p = known.get(name)
        if not option.startswith("--") or p is None:
            raise typer.BadParameter(f"{option} is not an option of {kebab(cls.__name__)}: see --help")
        if not equals:
            if unwrap(p.type) is bool and (not rest or rest[0].lower() not in ("true", "false")):
                value = "true"
            elif not rest:
                raise typer.BadParameter(f"{option} needs a value")
            else:
                value = rest.pop(0)
        try:
            values[p.name] = _read(p, value)
        except (ValueError, ValidationError) as error:
            raise typer.BadParameter(f"--{name}: {_message(error)}") from None
    if missing := [f"--{kebab(p.name)}" for p in cls.spec.parameters if p.required and p.name not in values]:
        raise typer.BadParameter(f"{kebab(cls.__name__)} needs {', '.join(missing)}")
    return cls(**values)


def _message(error: Exception) -> str:
    return describe_validation_error(error) if isinstance(error, ValidationError) else str(error)


def _content(text: str) -> bytes:
    if text == "@-":
        return sys.stdin.buffer.read()
    return Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()


def _read(p: Parameter, text: str) -> Any:
    place = p.location
    if isinstance(place, Body):
        return _document(place, p, json.loads(_content(text)))
    if isinstance(place, Payload | KeyHeaders):
        return _content(text)
    if isinstance(place, HeaderMap):
        return _pairs(text)
    if isinstance(place, InPath):
        return text
    if isinstance(place, Local):
        return float(text)
    return codec(p.type, isinstance(place, Header) and place.iso).read(text)


def _pairs(text: str) -> dict[str, str]:
    if text.startswith("{"):
        return json.loads(text)
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError("expected name=value,name=value")
    return {name: value for name, _, value in pairs}


def _document(place: Body, p: Parameter, given: Any) -> Any:
    if place.of is None:
        document = cast("type[Document]", unwrap(p.type))
        return document.model_validate(_renamed(document, given))
    ((name, info),) = place.of.model_fields.items()
    # Accept the whole document, or only the value of its single field.
    whole = _renamed(place.of, given)
    if not isinstance(whole, dict) or name not in whole:
        whole = {name: _inside(info.annotation, given)}
    return getattr(place.of.model_validate(whole), name)


def _renamed(document: type[Document], given: Any) -> Any:
    """Replace XML element names in JSON by the names of the document's fields."""
    if not isinstance(given, dict):
        return given
    plan = plan_of(document)
    wire = {entry.name: entry for entry in (*plan.elements, *plan.attributes)}
    plural = {f"{name}s": entry for name, entry in wire.items() if entry.many and entry.item is None}
    out: dict[str, Any] = {}
    for name, value in cast("dict[str, Any]", given).items():
        entry = plural.get(name) or wire.get(name)
        field = entry.field if entry is not None else name
        info = document.model_fields.get(field)
        if info is not None:
            if entry is not None and entry.item is not None and isinstance(value, dict):
                value = cast("dict[str, Any]", value).get(entry.item, value)
            value = _inside(info.annotation, value)
        out[field] = value
    return out


def _inside(annotation: Any, value: Any) -> Any:
    kind = unwrap(annotation)
    if get_origin(kind) in (Union, UnionType):
        return value
    if get_origin(kind) in (list, tuple) and isinstance(value, list):
        return [_inside(get_args(kind)[0], item) for item in cast("list[Any]", value)]
    return _renamed(kind, value) if isinstance(kind, type) and issubclass(kind, Document) else value


async def _get(client: Client, call: GetObject, output: Path | None) -> None:
    """Write an object to a file or to standard output. With a file, its properties are printed as JSON."""
    names = [p.name for p in call.spec.parameters if p.name not in ("bucket", "key")]
    given: dict[str, Any] = {name: getattr(call, name) for name in names}
    get = cast("Callable[..., Any]", client.objects.get)
    async with get(call.bucket, call.key, **given) as obj:
        if output is None:
            async for chunk in obj:
                sys.stdout.buffer.write(chunk)
            return
        with _atomic_file(output) as file:
            async for chunk in obj:
                file.write(chunk)
        show_json(obj.info)


@contextmanager
def _atomic_file(path: Path) -> Generator[BinaryIO]:
    """Open a temporary file that replaces `path` at the end of the block; remove it if the block fails.

    If `path` is not a regular file (a pipe, a device), write to it directly.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    target = Target.find(path)
    name = hidden_name(target.name, secrets.token_hex(4))
    try:
        with open(target.create(name), "wb") as file:
            yield file
            file.flush()
            target.replace_with(name, file.fileno())
    except BaseException:
        target.remove(name)
        raise
