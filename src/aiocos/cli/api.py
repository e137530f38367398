"""The command `api`: call any operation of the service by its name.

::

    aiocos api                                            list all operations
    aiocos api put-bucket-website --help                  show the parameters of one operation
    aiocos api put-bucket-website --bucket b --website-configuration @site.json

Documents are given as JSON, inline or from a file (`@site.json`, or `@-` for standard input). Their keys are the names of the
client's fields or of the XML elements. Results are printed as JSON.
"""

import inspect
import json
import re
import secrets
import shutil
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, BinaryIO, Union, cast, get_args, get_origin

import typer
from pydantic import ValidationError

from aiocos.cli.display import print_text, show_json
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.describe import field_texts
from aiocos.groups import engine_of
from aiocos.operations import every_operation
from aiocos.operations.objects import GetObject
from aiocos.transfer.download.target import Target
from aiocos.transfer.reserved_names import hidden_name
from aiocos.wire.document import Document, describe_validation_error, plan_of, unwrap
from aiocos.wire.spec import Body, Header, HeaderMap, KeyHeaders, Local, Operation, Parameter, Payload
from aiocos.wire.spec import Path as InPath
from aiocos.wire.values import codec


def kebab(name: str) -> str:
    """Convert a name to the form of options.

    `PutBucketWebsite` becomes `put-bucket-website`, `version_id` becomes `version-id`.
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", name).lower()


def api(
    context: typer.Context,
    operation: Annotated[
        str | None,
        typer.Argument(
            help="Name of the operation, such as put-bucket-website. Without a name, all operations are listed.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File that get-object writes. Default: standard output.", metavar="FILE"),
    ] = None,
    as_help: Annotated[bool, typer.Option("--help", "-h", help="Show the parameters of the operation.")] = False,
) -> None:
    """Call any operation of the service; print its result as JSON.

    `aiocos api` lists the operations, `aiocos api NAME --help` describes one with its options.
    """
    by_name = {kebab(name): cls for name, cls in every_operation().items()}
    if operation is None:
        if as_help:
            print_text(context.get_help())
            return
        for name, cls in sorted(by_name.items()):
            line = f"{name:36} {_first_line(cls)}"
            # Not in a pipe: programs expect one line per operation.
            if sys.stdout.isatty():
                line = textwrap.fill(line, shutil.get_terminal_size().columns, subsequent_indent=" " * 37)
            print_text(line)
        return
    cls = by_name.get(operation)
    if cls is None:
        raise typer.BadParameter(f"{operation!r} is not an operation: `aiocos api` lists all operations")
    if as_help:
        _explain(operation, cls)
        return
    call = _build(cls, context.args)

    async def work(client: Client) -> None:
        if isinstance(call, GetObject):
            await _get_object(client, call, output)
        else:
            show_json(await engine_of(client).call(call))

    settings().run(work)


def _first_line(cls: type[Operation[Any]]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _names(p: Parameter) -> list[str]:
    """Return the option names of a parameter.

    A document also has the name of its XML root element.
    """
    names = [kebab(p.name)]
    if isinstance(p.location, Body):
        document = p.location.of or cast("type[Document]", unwrap(p.type))
        names.append(kebab(document.root or document.__name__))
    return names


# The form of an option's value, for parameters whose value is not a plain text or number.
_VALUE_FORMS: dict[type[object], str] = {
    Body: "JSON, or @file",
    Payload: "text, or @file",
    HeaderMap: "name=value,…",
    KeyHeaders: "@file of 32 bytes",
}


def _explain(name: str, cls: type[Operation[Any]]) -> None:
    """Print the description and options of an operation, as wide as the terminal."""
    width = min(shutil.get_terminal_size().columns, 100)
    texts = field_texts(cls)
    print_text(f"Usage: aiocos api {name} [OPTIONS]\n")
    print_text(_wrap(cls.__doc__ or "", width))
    offered = cls.spec.parameters
    required, optional = [p for p in offered if p.required], [p for p in offered if not p.required]
    for title, parameters in (("Required", required), ("Options", optional)):
        if parameters:
            print_text(f"\n{title}:")
        for p in parameters:
            options = ", ".join(f"--{option}" for option in dict.fromkeys(_names(p)))
            print_text(f"  {options}  {_VALUE_FORMS.get(type(p.location), '')}".rstrip())
            if text := texts.get(p.name):
                print_text(_wrap(" ".join(text.split()), width, indent=" " * 6))


def _wrap(text: str, width: int, indent: str = "") -> str:
    """Wrap the paragraphs of a text. Lists and indented lines keep their line breaks."""
    paragraphs: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if any(line.startswith((" ", "*", "-", "|")) for line in paragraph.split("\n")):
            paragraphs.append(textwrap.indent(paragraph, indent))
        else:
            joined = " ".join(paragraph.split())
            wrapped = textwrap.wrap(
                joined, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
            )
            paragraphs.append("\n".join(wrapped))
    return "\n\n".join(paragraphs)


def _build(cls: type[Operation[Any]], arguments: list[str]) -> Operation[Any]:
    """Build the operation from its command-line options.

    Raises `typer.BadParameter` for an unknown option, a missing value or a value of another type.
    """
    parameters = {option: p for p in cls.spec.parameters for option in _names(p)}
    values: dict[str, Any] = {}
    remaining = list(arguments)
    while remaining:
        option = remaining.pop(0)
        name, equals, value = option.removeprefix("--").partition("=")
        p = parameters.get(name)
        if not option.startswith("--") or p is None:
            raise typer.BadParameter(f"{option} is not an option of {kebab(cls.__name__)}: --help lists its options")
        if not equals:
            if unwrap(p.type) is bool and (not remaining or remaining[0].lower() not in ("true", "false")):
                value = "true"
            elif not remaining:
                raise typer.BadParameter(f"{option} needs a value")
            else:
                value = remaining.pop(0)
        try:
            values[p.name] = _parse_value(p, value)
        except (ValueError, ValidationError) as error:
            raise typer.BadParameter(f"--{name}: {_message(error)}") from None
    if missing := [f"--{kebab(p.name)}" for p in cls.spec.parameters if p.required and p.name not in values]:
        raise typer.BadParameter(f"{kebab(cls.__name__)} needs {', '.join(missing)}")
    return cls(**values)


def _message(error: Exception) -> str:
    return describe_validation_error(error) if isinstance(error, ValidationError) else str(error)


def _read_content(text: str) -> bytes:
    """Return the content that the value of an option stands for.

    `@-` is standard input, `@path` a file; any other text is the content itself.
    """
    if text == "@-":
        return sys.stdin.buffer.read()
    return Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()


def _parse_value(p: Parameter, text: str) -> Any:
    """Parse the value of an option.

    Raises `ValueError` or `ValidationError` if the value does not fit the parameter.
    """
    location = p.location
    if isinstance(location, Body):
        return _parse_document(location, p, json.loads(_read_content(text)))
    if isinstance(location, Payload | KeyHeaders):
        return _read_content(text)
    if isinstance(location, HeaderMap):
        return _parse_pairs(text)
    if isinstance(location, InPath):
        return text
    if isinstance(location, Local) and p.name == "timeout":
        return float(text)
    return codec(p.type, isinstance(location, Header) and location.iso).read(text)


def _parse_pairs(text: str) -> dict[str, str]:
    """Parse `name=value,name=value`, or a JSON object."""
    if text.startswith("{"):
        return json.loads(text)
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError("expected name=value,name=value")
    return {name: value for name, _, value in pairs}


def _parse_document(body: Body, p: Parameter, data: Any) -> Any:
    """Validate JSON data as the document of a parameter.

    If the document has a single field, the data may also be the value of that field.
    """
    if body.of is None:
        document = cast("type[Document]", unwrap(p.type))
        return document.model_validate(_to_field_names(document, data))
    ((name, info),) = body.of.model_fields.items()
    # Accept the whole document, or only the value of its single field.
    whole = _to_field_names(body.of, data)
    if not isinstance(whole, dict) or name not in whole:
        whole = {name: _to_field_names_inside(info.annotation, data)}
    return getattr(body.of.model_validate(whole), name)


def _to_field_names(document: type[Document], data: Any) -> Any:
    """Replace XML element names in JSON data by the names of the document's fields."""
    if not isinstance(data, dict):
        return data
    plan = plan_of(document)
    elements = {entry.name: entry for entry in (*plan.elements, *plan.attributes)}
    # `Rules` is accepted for repeated `Rule` elements.
    plural = {f"{name}s": entry for name, entry in elements.items() if entry.many and entry.item is None}
    renamed: dict[str, Any] = {}
    for name, value in cast("dict[str, Any]", data).items():
        entry = plural.get(name) or elements.get(name)
        field = entry.field if entry is not None else name
        info = document.model_fields.get(field)
        if info is not None:
            if entry is not None and entry.item is not None and isinstance(value, dict):
                value = cast("dict[str, Any]", value).get(entry.item, value)
            value = _to_field_names_inside(info.annotation, value)
        renamed[field] = value
    return renamed


def _to_field_names_inside(annotation: Any, value: Any) -> Any:
    """Apply `_to_field_names` to the documents in the value of a field.

    `annotation` is the type of the field.
    """
    kind = unwrap(annotation)
    if get_origin(kind) in (Union, UnionType):
        return value
    if get_origin(kind) in (list, tuple) and isinstance(value, list):
        return [_to_field_names_inside(get_args(kind)[0], item) for item in cast("list[Any]", value)]
    return _to_field_names(kind, value) if isinstance(kind, type) and issubclass(kind, Document) else value


async def _get_object(client: Client, call: GetObject, output: Path | None) -> None:
    """Write an object to a file, or to standard output if `output` is None.

    With a file, the properties of the object are printed as JSON.
    """
    names = [p.name for p in call.spec.parameters if p.name not in ("bucket", "key")]
    arguments: dict[str, Any] = {name: getattr(call, name) for name in names}
    get = cast("Callable[..., Any]", client.objects.get)
    async with get(call.bucket, call.key, **arguments) as stream:
        if output is None:
            async for chunk in stream:
                sys.stdout.buffer.write(chunk)
            return
        with _atomic_file(output) as file:
            async for chunk in stream:
                file.write(chunk)
        show_json(stream.info)


@contextmanager
def _atomic_file(path: Path) -> Generator[BinaryIO]:
    """Open a temporary file that replaces `path` at the end of the block.

    If the block fails, the temporary file is removed and `path` is unchanged. If `path` exists and is not a regular file
    (a pipe, a device), it is opened itself.
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
