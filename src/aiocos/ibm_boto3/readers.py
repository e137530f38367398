"""Readers of parameters, which convert or refuse the values of a call.

Each reader turns a value into one for the typed operation, or reports it as invalid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.timestamps import parse_timestamp
from aiocos.ibm_boto3.validation import INVALID, ValidationReport
from aiocos.wire.document import Document, Element, unwrap
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, HeaderMap, Parameter, Payload, Result
from aiocos.wire.values import CopySource

_BUCKET = re.compile(r"[a-zA-Z0-9.\-_]{1,255}")
_VERSION = re.compile(r"\?versionId=([^\s]+)$")

Reader: TypeAlias = Callable[[Any, str, ValidationReport], Any]
"""Takes a value, its place in the parameters and the report; returns the value for the operation, or `INVALID`."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the input of an operation or a document."""

    field: str
    """Name of the parameter or field of the typed operation or document."""
    required: bool
    """True if IBM's SDK refuses a call without it."""
    read: Reader
    """Reader of its value."""


# ---------------------------------------------------------------------------------------------------------------------
# The reader of a type


def reader_of(p: Parameter) -> Reader:
    """Return the reader of a parameter of an operation."""
    if isinstance(p.location, Payload):
        return _read_payload
    if isinstance(p.location, Body):
        return _StructureReader(document_of(p), whole=p.location.of is None or _setting_of(p) is not None)
    if p.name == "bucket":
        return _read_bucket
    if isinstance(p.location, HeaderMap):
        return _read_metadata
    return _reader_of_type(p.type)


def document_of(p: Parameter) -> type[Document]:
    """Return the document that a parameter in the body is given as.

    A setting is given as the document in which the service returns it. The document keeps the elements that this
    library has no field for.
    """
    assert isinstance(p.location, Body)
    return _setting_of(p) or p.location.of or unwrap(p.type)


def _setting_of(p: Parameter) -> type[Document] | None:
    """Return the document that may be given in place of a setting's one field.

    This is the document in which the service returns the setting. None if the parameter does not accept one.
    """
    kinds = [kind for kind in get_args(p.type) if isinstance(kind, type) and issubclass(kind, Result)]
    return kinds[0] if isinstance(p.location, Body) and p.location.of is not None and kinds else None


def _reader_of_type(annotation: Any) -> Reader:
    kind = unwrap(annotation)
    origin = get_origin(kind)
    members = set(get_args(kind)) if origin in (Union, UnionType) else {kind}
    members.discard(NoneType)
    if CopySource in members:
        return _read_copy_source
    if ByteRange in members:
        return _read_range
    if timedelta in members or int in members:
        return _read_int
    if bool in members:
        return _read_bool
    if datetime in members:
        return _read_timestamp
    if origin is dict:
        return _read_text_map
    if origin in (list, tuple):
        return _ListReader(_reader_of_type(get_args(kind)[0]))
    if isinstance(kind, type) and issubclass(kind, Document):
        return _StructureReader(kind)
    if kind is str or origin is Literal or str in members:
        return read_text
    raise TypeError(f"no reader for parameters of the type {annotation}")


# ---------------------------------------------------------------------------------------------------------------------
# Readers of single values


def read_text(value: Any, where: str, report: ValidationReport) -> Any:
    """Read a string; a key must not be empty."""
    if not isinstance(value, str):
        return report.wrong_type(where, value, "<class 'str'>")
    if not value and where.rpartition(".")[2] == "Key":
        return report.add(f"Invalid length for parameter {where}, value: 0, valid min length: 1")
    return value


def _read_bucket(value: Any, where: str, report: ValidationReport) -> Any:
    if not isinstance(value, str):
        return report.wrong_type(where, value, "<class 'str'>")
    if not _BUCKET.fullmatch(value):
        return report.add(f'Invalid bucket name "{value}": Bucket name must match the regex "^{_BUCKET.pattern}$"')
    return value


def _read_int(value: Any, where: str, report: ValidationReport) -> Any:
    return value if isinstance(value, int) else report.wrong_type(where, value, "<class 'int'>")


def _read_bool(value: Any, where: str, report: ValidationReport) -> Any:
    return value if isinstance(value, bool) else report.wrong_type(where, value, "<class 'bool'>")


def _read_timestamp(value: Any, where: str, report: ValidationReport) -> Any:
    try:
        return parse_timestamp(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return report.wrong_type(where, value, "<class 'datetime.datetime'>, timestamp-string")


def _read_text_map(value: Any, where: str, report: ValidationReport) -> Any:
    if not isinstance(value, Mapping):
        return report.wrong_type(where, value, "<class 'dict'>")
    pairs = cast("Mapping[Any, Any]", value)
    for name, one in pairs.items():
        read_text(name, f"{where} (key: {name})", report)
        read_text(one, f"{where}.{name}", report)
    return dict(pairs)


def _read_metadata(value: Any, where: str, report: ValidationReport) -> Any:
    read = _read_text_map(value, where, report)
    for name, one in cast("dict[Any, Any]", read).items() if isinstance(read, dict) else ():
        if isinstance(name, str) and isinstance(one, str) and not (name.isascii() and one.isascii()):
            return report.add(
                f'Non ascii characters found in S3 metadata for key "{name}", value: "{one}".  \n'
                "S3 metadata can only contain ASCII characters. \n"
                "A header carries printable ASCII only: encode the value (percent, base64)"
            )
    return cast("Any", read)


def _read_payload(value: Any, where: str, report: ValidationReport) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "read") or hasattr(value, "__aiter__"):
        return cast("Any", value)
    return report.wrong_type(where, value, "<class 'bytes'>, <class 'bytearray'>, file-like object")


def _read_copy_source(value: Any, where: str, report: ValidationReport) -> Any:
    if isinstance(value, str):
        found = _VERSION.search(value)
        path, version = (value[: found.start()], found[1]) if found else (value, None)
        bucket, slash, key = path.removeprefix("/").partition("/")
        if not slash or not bucket or not key:
            return report.add(f"Invalid value for parameter {where}: expected bucket/key, not {value!r}")
        return CopySource(bucket, key, version)
    if not isinstance(value, Mapping):
        return report.wrong_type(where, value, "<class 'str'>, <class 'dict'>")
    given = cast("Mapping[str, Any]", value)
    for name in ("Bucket", "Key"):
        if name not in given:
            return report.missing(name, where)
    for name in given:
        if name not in ("Bucket", "Key", "VersionId"):
            return report.unknown(name, ("Bucket", "Key", "VersionId"), where)
    _read_bucket(given["Bucket"], f"{where}.Bucket", report)
    read_text(given["Key"], f"{where}.Key", report)
    return CopySource(given["Bucket"], given["Key"], given.get("VersionId"))


def _read_range(value: Any, where: str, report: ValidationReport) -> Any:
    if not isinstance(value, str):
        return report.wrong_type(where, value, "<class 'str'>")
    try:
        return ByteRange.from_wire(value)
    except ValueError as error:
        return report.add(f"Invalid value for parameter {where}: {error}")


# ---------------------------------------------------------------------------------------------------------------------
# Readers of lists and structures


class _ListReader:
    """Reader of a list whose items have one type."""

    def __init__(self, read: Reader) -> None:
        self._read = read

    def __call__(self, value: Any, where: str, report: ValidationReport) -> Any:
        if not isinstance(value, list | tuple):
            return report.wrong_type(where, value, "<class 'list'>, <class 'tuple'>")
        return [self._read(one, f"{where}[{n}]", report) for n, one in enumerate(cast("list[Any]", value))]


class _StructureReader:
    """Reader of a document; without `whole`, of the value of its one field."""

    def __init__(self, document: type[Document], *, whole: bool = True) -> None:
        self._document = document
        self._whole = whole
        self._members: dict[str, Member] = {}

    @property
    def members(self) -> dict[str, Member]:
        """Members of the document, by name.

        They are made at first use, since a document may contain itself.
        """
        if not self._members:
            document = self._document
            self._members = {
                names.of_field(document, field): Member(
                    field, names.is_required_in(document, field, info.is_required()), _reader_of_type(_field_type(info))
                )
                for field, info in document.model_fields.items()
                if not names.is_header(document, field)
            }
        return self._members

    def __call__(self, value: Any, where: str, report: ValidationReport) -> Any:
        if not isinstance(value, Mapping):
            return report.wrong_type(where, value, "<class 'dict'>")
        given, members, errors_before = cast("Mapping[str, Any]", value), self.members, len(report.lines)
        values: dict[str, Any] = {}
        for name, member in members.items():
            if member.required and name not in given:
                report.missing(name, where)
        for name, one in given.items():
            member = members.get(name)
            if member is None:
                report.unknown(name, members, where)
            else:
                values[member.field] = member.read(one, f"{where}.{name}", report)
        if len(report.lines) > errors_before:
            return INVALID
        absent = [
            m.field for m in members.values() if m.field not in values and self._document.model_fields[m.field].is_required()
        ]
        try:
            # IBM's SDK sends documents without fields that the service requires; the service reports the error.
            document = self._document.model_construct(**values, **dict.fromkeys(absent)) if absent else self._document(**values)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                report.add(f"Invalid value for parameter {'.'.join([where, *map(str, one['loc'])])}: {one['msg']}")
            return INVALID
        return document if self._whole or absent else getattr(document, next(iter(self._document.model_fields)))


def _field_type(info: FieldInfo) -> Any:
    """Return the type of a field's value.

    This is the document that the field's XML element is marked with, or else the annotation of the field.
    """
    return next((mark.model for mark in info.metadata if isinstance(mark, Element) and mark.model), info.annotation)
