"""What goes in: the members that an operation takes, held against what was given, and the operation that they make.

Complaints are botocore's in kind: all of them at once, each with the place and what is wrong there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from aiocos.ibm_boto3 import names, variants
from aiocos.ibm_boto3.moments import read_moment
from aiocos.ibm_boto3.report import MISSING, Report
from aiocos.operations.listing import Page
from aiocos.wire.document import Document, Element, unwrap
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, HeaderMap, KeyHeaders, Local, Operation, OperationSpec, Parameter, Payload, Result
from aiocos.wire.values import CopySource, CustomerKey

_BUCKET = re.compile(r"[a-zA-Z0-9.\-_]{1,255}")
_VERSION = re.compile(r"\?versionId=([^\s]+)$")
_KEY_PARTS = ("Algorithm", "Key", "KeyMD5")

OTHER_TEXTS = {
    "SSECustomerAlgorithm": "Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`.",
    "SSECustomerKey": "The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too.",
    "SSECustomerKeyMD5": "Base64 of the MD5 of the customer's encryption key. Computed if it is left out.",
    "CopySourceSSECustomerAlgorithm": "Algorithm of the key that the source was encrypted with (SSE-C): `AES256`.",
    "CopySourceSSECustomerKey": "The customer's key that the source was encrypted with (SSE-C): 32 bytes, or their base64.",
    "CopySourceSSECustomerKeyMD5": "Base64 of the MD5 of the source's encryption key. Computed if it is left out.",
    "ContentLength": "Bytes of the body. No more than that are read of a file; it is an error if the body has fewer.",
    "ContentMD5": "Accepted for compatibility: the checksum of the document is computed here.",
    "ChecksumAlgorithm": "Accepted for compatibility: the checksum of the document is computed here.",
}
"""Texts of the members that are not parameters of the typed operation."""


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


def _input_of(statement: OperationSpec) -> _Input:
    known = _inputs.get(statement.name)
    if known is None:
        members = {
            names.of_parameter(p): Member(p.name, names.is_required(statement, p), _reader_of(p))
            for p in statement.parameters
            if not isinstance(p.location, Local | KeyHeaders)
        }
        required = tuple(name for name, member in members.items() if member.required)
        known = _Input(members, required, keys_of(statement.parameters), _looked_at(statement, members))
        _inputs[statement.name] = known
    return known


def members_of(statement: OperationSpec) -> dict[str, Member]:
    """The members of an operation's input, without those of customer keys and those that are only looked at."""
    return _input_of(statement).members


def keys_of(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """The parameters that are customer keys, by what their three members begin with."""
    return {
        "CopySourceSSECustomer" if p.location.prefix.startswith("x-amz-copy-source") else "SSECustomer": p.name
        for p in parameters
        if isinstance(p.location, KeyHeaders)
    }


def _looked_at(statement: OperationSpec, members: Mapping[str, Member]) -> tuple[str, ...]:
    """Members that are taken and follow from others here: the length of a body, the checksum of a document."""
    if statement.body is None:
        return ()
    if statement.has_payload:
        return ("ContentLength",)
    return tuple(name for name in ("ContentMD5", "ChecksumAlgorithm") if name not in members)


def offered(statement: OperationSpec) -> list[str]:
    """All members that an operation takes."""
    known = _input_of(statement)
    return [*known.members, *(f"{prefix}{part}" for prefix in known.keys for part in _KEY_PARTS), *known.passed]


def read_members(statement: OperationSpec, given: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
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
        elif name in known.passed:
            if name != "ContentLength":
                _text(value, name, report)
        elif not _is_of_key(name, known.keys):
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
            plain = key.encode() if isinstance(key, str) else bytes(key)
            # Who gives the MD5 of the key too gives both as they travel.
            made = CustomerKey(base64.b64decode(plain) if md5 is not None and len(plain) != 32 else plain)
        except ValueError as error:
            report.add(f"Invalid value for parameter {prefix}Key: {error}")
            continue
        if md5 is not None and md5 != made.md5:
            report.add(f"Invalid value for parameter {prefix}KeyMD5: not the MD5 of the key")
        values[parameter] = made


def _check_length(given: Mapping[str, Any], values: Mapping[str, Any], report: Report) -> None:
    if "ContentLength" not in given:
        return
    length, data = given["ContentLength"], values.get("data")
    if not isinstance(length, int):
        report.wrong_type("ContentLength", length, "<class 'int'>")
    elif isinstance(data, bytes | bytearray | memoryview) and len(cast("bytes", data)) != length:
        report.add(f"Invalid value for parameter ContentLength: {length}, the body has {len(cast('bytes', data))} bytes")


def made(cls: type[Operation[Any]], given: Mapping[str, Any]) -> Operation[Any]:
    """Make an operation of its members; raises `ParamValidationError`."""
    values = read_members(cls.spec, given)
    body = cls.spec.body
    if body is not None and body.required and values.get(body.name) is None:
        values.pop(body.name, None)
        return variants.without_body(cls)(**values, **{body.name: None})
    if "EncodingType" in given and issubclass(cls.spec.result, Page):
        # IBM's SDK decodes what it has asked for itself, and leaves what the caller has asked for.
        return variants.undecoded(cls)(**values)
    return cls(**values)


# ---------------------------------------------------------------------------------------------------------------------
# Values


def _reader_of(p: Parameter) -> Reader:
    if isinstance(p.location, Payload):
        return _blob
    if isinstance(p.location, Body):
        return _Structure(document_of(p), whole=p.location.of is None or _answer_of(p) is not None)
    if p.name == "bucket":
        return _bucket
    if isinstance(p.location, HeaderMap):
        return _metadata
    return _reader(p.type)


def document_of(p: Parameter) -> type[Document]:
    """Return the document that a parameter in the body is given as.

    A setting is given as the document that it is read as, which keeps the elements that this library has no field for.
    """
    assert isinstance(p.location, Body)
    return _answer_of(p) or p.location.of or unwrap(p.type)


def _answer_of(p: Parameter) -> type[Document] | None:
    """Return the document that a setting is read as, if it may be given in place of its one field."""
    kinds = [kind for kind in get_args(p.type) if isinstance(kind, type) and issubclass(kind, Result)]
    return kinds[0] if isinstance(p.location, Body) and p.location.of is not None and kinds else None


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
    if not value and where.rpartition(".")[2] == "Key":
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
        return read_moment(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return report.wrong_type(where, value, "<class 'datetime.datetime'>, timestamp-string")


def _texts(value: Any, where: str, report: Report) -> Any:
    if not isinstance(value, Mapping):
        return report.wrong_type(where, value, "<class 'dict'>")
    pairs = cast("Mapping[Any, Any]", value)
    for name, one in pairs.items():
        _text(name, f"{where} (key: {name})", report)
        _text(one, f"{where}.{name}", report)
    return dict(pairs)


def _metadata(value: Any, where: str, report: Report) -> Any:
    read = _texts(value, where, report)
    for name, one in cast("dict[Any, Any]", read).items() if isinstance(read, dict) else ():
        if isinstance(name, str) and isinstance(one, str) and not (name.isascii() and one.isascii()):
            return report.add(
                f'Non ascii characters found in S3 metadata for key "{name}", value: "{one}".  \n'
                "S3 metadata can only contain ASCII characters. \n"
                "A header carries printable ASCII only: encode the value (percent, base64)"
            )
    return cast("Any", read)


def _blob(value: Any, where: str, report: Report) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "read") or hasattr(value, "__aiter__"):
        return cast("Any", value)
    return report.wrong_type(where, value, "<class 'bytes'>, <class 'bytearray'>, file-like object")


def _copy_source(value: Any, where: str, report: Report) -> Any:
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


def _kind_of(info: FieldInfo) -> Any:
    """The type of a field; where it is read as a document that is more than its type, that one."""
    return next((mark.model for mark in info.metadata if isinstance(mark, Element) and mark.model), info.annotation)


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
            document = self._document
            self._members = {
                names.of_field(document, field): Member(
                    field, names.is_required_in(document, field, info.is_required()), _reader(_kind_of(info))
                )
                for field, info in document.model_fields.items()
                if not names.is_header(document, field)
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
            else:
                values[member.field] = member.read(one, f"{where}.{name}", report)
        if len(report.lines) > before:
            return MISSING
        absent = [
            m.field for m in members.values() if m.field not in values and self._document.model_fields[m.field].is_required()
        ]
        try:
            # What IBM's SDK does not demand is the service's to miss.
            made = self._document.model_construct(**values, **dict.fromkeys(absent)) if absent else self._document(**values)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                report.add(f"Invalid value for parameter {'.'.join([where, *map(str, one['loc'])])}: {one['msg']}")
            return MISSING
        return made if self._whole or absent else getattr(made, next(iter(self._document.model_fields)))
