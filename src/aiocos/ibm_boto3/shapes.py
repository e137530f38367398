"""What goes in: the members that an operation takes, held against what was given, and the operation that they make.

Complaints are botocore's in kind: all of them at once, each with the place and what is wrong there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import ValidationError

from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.exceptions import ParamValidationError
from aiocos.wire.document import Document, parse_time, unwrap
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, KeyHeaders, Local, Operation, Parameter, Payload, Statement
from aiocos.wire.values import CopySource, CustomerKey

_BUCKET = re.compile(r"[a-zA-Z0-9.\-_]{1,255}")
_KEY_PARTS = ("Algorithm", "Key", "KeyMD5")
_MISSING: Any = object()


@dataclass(slots=True)
class Report:
    """What is wrong with the parameters of a call."""

    lines: list[str] = field(default_factory=list[str])

    def add(self, line: str) -> Any:
        """Add a line."""
        self.lines.append(line)
        return _MISSING

    def wrong_type(self, where: str, value: object, valid: str) -> Any:
        """Add that a value has the wrong type."""
        return self.add(
            f"Invalid type for parameter {where}, value: {_shown(value)}, type: {type(value)}, valid types: {valid}"
        )

    def unknown(self, name: str, known: Any, where: str = "") -> Any:
        """Add that there is no such member."""
        place = f"{where}: " if where else "input: "
        return self.add(f'Unknown parameter in {place}"{name}", must be one of: {", ".join(known)}')

    def missing(self, name: str, where: str = "") -> Any:
        """Add that a member is missing."""
        place = f"{where}: " if where else "input: "
        return self.add(f'Missing required parameter in {place}"{name}"')

    def check(self) -> None:
        """Raise what was found."""
        if self.lines:
            raise ParamValidationError("\n".join(self.lines))


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


Reader: TypeAlias = Callable[[Any, str, Report], Any]
"""Turns what was given into what the operation takes; reports what cannot be, by its place."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an operation's or a document's input."""

    field: str
    required: bool
    read: Reader


# ---------------------------------------------------------------------------------------------------------------------
# Operations


@dataclass(frozen=True, slots=True)
class _Input:
    """What an operation takes: its members, which of them it needs, customer keys, and what is taken and only looked at."""

    members: dict[str, Member]
    required: tuple[str, ...]
    keys: dict[str, str]
    passed: tuple[str, ...]


_inputs: dict[str, _Input] = {}


def _input_of(statement: Statement) -> _Input:
    known = _inputs.get(statement.name)
    if known is None:
        members = {
            names.of_parameter(p): Member(p.name, p.required, _reader_of(p))
            for p in statement.parameters
            if not isinstance(p.place, Local | KeyHeaders)
        }
        required = tuple(name for name, member in members.items() if member.required)
        known = _Input(members, required, keys_of(statement.parameters), _looked_at(statement, members))
        _inputs[statement.name] = known
    return known


def members_of(statement: Statement) -> dict[str, Member]:
    """The members of an operation's input, without those of customer keys and those that are only looked at."""
    return _input_of(statement).members


def keys_of(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """The parameters that are customer keys, by what their three members begin with."""
    return {
        "CopySourceSSECustomer" if p.place.prefix.startswith("x-amz-copy-source") else "SSECustomer": p.name
        for p in parameters
        if isinstance(p.place, KeyHeaders)
    }


def _looked_at(statement: Statement, members: Mapping[str, Member]) -> tuple[str, ...]:
    """Members that are taken and follow from others here: the length of a body, the checksum of a document."""
    if statement.body is None:
        return ()
    if statement.has_payload:
        return ("ContentLength",)
    return tuple(name for name in ("ContentMD5", "ChecksumAlgorithm") if name not in members)


def offered(statement: Statement) -> list[str]:
    """All members that an operation takes."""
    known = _input_of(statement)
    return [*known.members, *(f"{prefix}{part}" for prefix in known.keys for part in _KEY_PARTS), *known.passed]


def read_members(statement: Statement, given: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Return the parameters of an operation; raises `ParamValidationError`. With `whole`, what is required must be there."""
    known = _input_of(statement)
    report = Report()
    values: dict[str, Any] = {}
    if whole:
        for name in known.required:
            if name not in given:
                report.missing(name)
    for name, value in given.items():
        member = known.members.get(name)
        if member is not None:
            values[member.field] = member.read(value, name, report)
        elif name not in known.passed and not _is_of_key(name, known.keys):
            report.unknown(name, offered(statement))
    if known.keys:
        read_keys(known.keys, given, values, report)
    _check_length(given, values, report)
    report.check()
    return values


def _is_of_key(name: str, keys: Mapping[str, str]) -> bool:
    return any(name == f"{prefix}{part}" for prefix in keys for part in _KEY_PARTS)


def read_keys(keys: Mapping[str, str], given: Mapping[str, Any], values: dict[str, Any], report: Report) -> None:
    """Read the customer keys (SSE-C) among the members."""
    for prefix, parameter in keys.items():
        algorithm, key, md5 = (given.get(f"{prefix}{part}") for part in _KEY_PARTS)
        if algorithm is None and key is None and md5 is None:
            continue
        if not isinstance(key, str | bytes | bytearray) or algorithm != "AES256":
            report.add(f"Invalid customer key: {prefix}Key and {prefix}Algorithm (AES256) come together")
            continue
        try:
            plain = key.encode("latin-1") if isinstance(key, str) else bytes(key)
            # Who gives the MD5 of the key too gives both as they travel.
            made = CustomerKey(base64.b64decode(plain) if md5 is not None and len(plain) != 32 else plain)
        except ValueError as error:
            report.add(f"Invalid value for parameter {prefix}Key: {error}")
            continue
        if md5 is not None and md5 != made.md5:
            report.add(f"Invalid value for parameter {prefix}KeyMD5: not the MD5 of the key")
        values[parameter] = made


def _check_length(given: Mapping[str, Any], values: Mapping[str, Any], report: Report) -> None:
    length, data = given.get("ContentLength"), values.get("data")
    if length is None:
        return
    if not isinstance(length, int):
        report.wrong_type("ContentLength", length, "<class 'int'>")
    elif isinstance(data, bytes | bytearray | memoryview) and len(cast("bytes", data)) != length:
        report.add(f"Invalid value for parameter ContentLength: {length}, the body has {len(cast('bytes', data))} bytes")


def made(cls: type[Operation[Any]], given: Mapping[str, Any]) -> Operation[Any]:
    """Make an operation of its members; raises `ParamValidationError`."""
    return cls(**read_members(cls.statement, given))


# ---------------------------------------------------------------------------------------------------------------------
# Values


def _reader_of(p: Parameter) -> Reader:
    if isinstance(p.place, Payload):
        return _blob
    if isinstance(p.place, Body):
        document: type[Document] = p.place.of or unwrap(p.type)
        return _Structure(document, whole=p.place.of is None)
    if p.name == "bucket":
        return _bucket
    return _reader(p.type)


def _reader(annotation: Any) -> Reader:
    """How a value of a type is read."""
    kind = unwrap(annotation)
    origin = get_origin(kind)
    members = set(get_args(kind)) if origin in (Union, UnionType) else {kind}
    members.discard(NoneType)
    if CopySource in members:
        return _copy_source
    if ByteRange in members:
        return _range
    if timedelta in members or int in members:
        return _number
    if bool in members:
        return _truth
    if datetime in members:
        return _moment
    if origin is dict:
        return _texts
    if origin in (list, tuple):
        return _List(_reader(get_args(kind)[0]))
    if isinstance(kind, type) and issubclass(kind, Document):
        return _Structure(kind)
    if kind is str or origin is Literal or str in members:
        return _text
    raise TypeError(f"there is no way to read {annotation}")


def _text(value: Any, where: str, report: Report) -> Any:
    if not isinstance(value, str):
        return report.wrong_type(where, value, "<class 'str'>")
    if where == "Key" and not value:
        return report.add(f"Invalid length for parameter {where}, value: 0, valid min length: 1")
    return value


def _bucket(value: Any, where: str, report: Report) -> Any:
    if not isinstance(value, str):
        return report.wrong_type(where, value, "<class 'str'>")
    if not _BUCKET.fullmatch(value):
        return report.add(f'Invalid bucket name "{value}": Bucket name must match the regex "^{_BUCKET.pattern}$"')
    return value


def _number(value: Any, where: str, report: Report) -> Any:
    return value if isinstance(value, int) else report.wrong_type(where, value, "<class 'int'>")


def _truth(value: Any, where: str, report: Report) -> Any:
    return value if isinstance(value, bool) else report.wrong_type(where, value, "<class 'bool'>")


def _moment(value: Any, where: str, report: Report) -> Any:
    try:
        if isinstance(value, datetime):
            # botocore takes a time without a zone for one of this machine's.
            return value if value.tzinfo else value.astimezone()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return _read_moment(value)
    except (ValueError, OverflowError, OSError):
        pass
    return report.wrong_type(where, value, "<class 'datetime.datetime'>, timestamp-string")


def _read_moment(text: str) -> datetime:
    made = parse_time(text)
    if not isinstance(made, datetime):
        try:
            made = datetime.fromisoformat(text)
        except ValueError:
            made = parsedate_to_datetime(text)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _texts(value: Any, where: str, report: Report) -> Any:
    if not isinstance(value, Mapping):
        return report.wrong_type(where, value, "<class 'dict'>")
    pairs = cast("Mapping[Any, Any]", value)
    for name, one in pairs.items():
        _text(name, f"{where} (key: {name})", report)
        _text(one, f"{where}.{name}", report)
        if isinstance(one, str) and not one.isascii():
            # Of all headers, IBM's SDK refuses this in metadata alone.
            found = f'Non ascii characters found in S3 metadata for key "{name}", value: "{one}".  '
            report.add(f"{found}\nS3 metadata can only contain ASCII characters. ")
    return dict(pairs)


def _blob(value: Any, where: str, report: Report) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "read") or hasattr(value, "__aiter__"):
        return cast("Any", value)
    return report.wrong_type(where, value, "<class 'bytes'>, <class 'bytearray'>, file-like object")


def _copy_source(value: Any, where: str, report: Report) -> Any:
    if isinstance(value, str):
        path, _, version = value.partition("?versionId=")
        bucket, slash, key = path.removeprefix("/").partition("/")
        if not slash or not bucket or not key:
            return report.add(f"Invalid value for parameter {where}: expected bucket/key, not {value!r}")
        return CopySource(bucket, key, version or None)
    if not isinstance(value, Mapping):
        return report.wrong_type(where, value, "<class 'str'>, <class 'dict'>")
    given = cast("Mapping[str, Any]", value)
    for name in ("Bucket", "Key"):
        if name not in given:
            return report.missing(name, where)
    for name in given:
        if name not in ("Bucket", "Key", "VersionId"):
            return report.unknown(name, ("Bucket", "Key", "VersionId"), where)
    _bucket(given["Bucket"], f"{where}.Bucket", report)
    _text(given["Key"], f"{where}.Key", report)
    return CopySource(given["Bucket"], given["Key"], given.get("VersionId"))


def _range(value: Any, where: str, report: Report) -> Any:
    if not isinstance(value, str):
        return report.wrong_type(where, value, "<class 'str'>")
    try:
        return ByteRange.from_wire(value)
    except ValueError as error:
        return report.add(f"Invalid value for parameter {where}: {error}")


class _List:
    """A list of values of one kind."""

    def __init__(self, read: Reader) -> None:
        self._read = read

    def __call__(self, value: Any, where: str, report: Report) -> Any:
        if not isinstance(value, list | tuple):
            return report.wrong_type(where, value, "<class 'list'>, <class 'tuple'>")
        return [self._read(one, f"{where}[{n}]", report) for n, one in enumerate(cast("list[Any]", value))]


class _Structure:
    """A document; where it is one field of an operation's, that field."""

    def __init__(self, document: type[Document], *, whole: bool = True) -> None:
        self._document = document
        self._whole = whole
        self._members: dict[str, Member] = {}

    @property
    def members(self) -> dict[str, Member]:
        """The members of the document, found out at first use."""
        if not self._members:
            self._members = {
                names.of_field(self._document, field): Member(field, info.is_required(), _reader(info.annotation))
                for field, info in self._document.model_fields.items()
                if not names.is_header(self._document, field)
            }
        return self._members

    def __call__(self, value: Any, where: str, report: Report) -> Any:
        if not isinstance(value, Mapping):
            return report.wrong_type(where, value, "<class 'dict'>")
        given, members, before = cast("Mapping[str, Any]", value), self.members, len(report.lines)
        values: dict[str, Any] = {}
        for name, member in members.items():
            if member.required and name not in given:
                report.missing(name, where)
        for name, one in given.items():
            member = members.get(name)
            if member is None:
                report.unknown(name, members, where)
            elif one is not None:
                values[member.field] = member.read(one, f"{where}.{name}", report)
        if len(report.lines) > before:
            return _MISSING
        try:
            made = self._document(**values)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                report.add(f"Invalid value for parameter {'.'.join([where, *map(str, one['loc'])])}: {one['msg']}")
            return _MISSING
        return made if self._whole else getattr(made, next(iter(self._document.model_fields)))
