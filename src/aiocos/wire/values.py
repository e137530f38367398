"""Conversion of values to and from the text of headers and query parameters.

Each type has one codec.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, cast, get_args, get_origin
from urllib.parse import quote, unquote, unquote_plus, urlencode

from aiocos.wire.document import parse_time, unwrap, write_time
from aiocos.wire.ranges import ByteRange


class CopySource(NamedTuple):
    """The source of a copy."""

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object, not encoded."""
    version_id: str | None = None
    """Version to copy. None copies the current one."""

    def to_wire(self) -> str:
        """Return the value of `x-amz-copy-source`.

        It has the form `bucket/key?versionId=…`, percent-encoded.
        """
        if not self.bucket or not self.key or "/" in self.bucket:
            raise ValueError(f"a copy source needs a bucket and a key, not {self.bucket!r} and {self.key!r}")
        version = f"?versionId={quote(self.version_id, safe='-._~')}" if self.version_id else ""
        return f"{quote(self.bucket, safe='-._~')}/{quote(self.key, safe='/-._~')}{version}"

    @classmethod
    def from_wire(cls, text: str) -> "CopySource":
        """Parse the value of `x-amz-copy-source`.

        Args:
            text: The value, with or without a leading slash.

        Raises:
            ValueError: The value has no bucket or no key.
        """
        path, _, query = text.partition("?")
        bucket, slash, key = path.removeprefix("/").partition("/")
        if not bucket or not slash or not key:
            raise ValueError(f"a copy source has the form bucket/key, not {text!r}")
        version = query.removeprefix("versionId=") if query.startswith("versionId=") else None
        # Some clients (s5cmd) write a space as `+`; a plus sign is %2B.
        return cls(unquote(bucket), unquote_plus(key), unquote(version) if version else None)


class Stored(str):
    """The stored text of a header, sent unchanged.

    Its field expects another type: `Expires: 0` is not a time, for example.
    """

    __slots__ = ()


class CustomerKey:
    """A customer's AES-256 key (SSE-C) of 32 bytes. `repr` does not show it.

    Raises `ValueError` for another length.
    """

    __slots__ = ("key",)

    def __init__(self, key: bytes) -> None:
        if isinstance(cast("object", key), str):
            raise ValueError("a customer key needs 32 bytes, not a str: decode it first (base64.b64decode for base64)")
        if len(key) != 32:
            raise ValueError(f"a customer key needs 32 bytes, not {len(key)}")
        self.key = bytes(key)

    def headers(self, prefix: str) -> dict[str, str]:
        """Return the three headers for the key: algorithm, key and MD5.

        Args:
            prefix: Beginning of the names of the headers, such as `x-amz-server-side-encryption-customer-`.
        """
        return {
            f"{prefix}algorithm": "AES256",
            f"{prefix}key": base64.b64encode(self.key).decode(),
            f"{prefix}key-MD5": self.md5,
        }

    @property
    def md5(self) -> str:
        """MD5 of the key, base64. The service repeats it in responses."""
        return base64.b64encode(hashlib.md5(self.key, usedforsecurity=False).digest()).decode()

    @classmethod
    def from_headers(cls, algorithm: str | None, key: str | None, md5: str | None) -> "CustomerKey | None":
        """Return the key in the three headers of a request; None if it has none of them.

        Args:
            algorithm: Value of the header `algorithm`, which must be `AES256`. None if it is missing.
            key: Value of the header `key`: the key, base64. None if it is missing.
            md5: Value of the header `key-MD5`: MD5 of the key, base64. None skips the comparison.

        Raises:
            ValueError: The algorithm or the key is missing or malformed, or the MD5 is that of another key.
        """
        if algorithm is None and key is None and md5 is None:
            return None
        if algorithm != "AES256" or key is None:
            raise ValueError("a customer key needs the algorithm AES256 and the key")
        try:
            customer_key = cls(base64.b64decode(key, validate=True))
        except binascii.Error as error:
            raise ValueError("the customer key is not base64") from error
        if md5 is not None and md5 != customer_key.md5:
            raise ValueError("the customer key does not match its MD5")
        return customer_key

    def __repr__(self) -> str:
        return "CustomerKey(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomerKey) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.md5)


@dataclass(frozen=True, slots=True)
class Codec:
    """The conversion of one type to text and back.

    Both directions raise `ValueError` for a value that does not fit.
    """

    write: Callable[[Any], str]
    """Converts a value to text."""
    read: Callable[[str], Any]
    """Converts text to a value."""


def _write_rfc1123(value: datetime) -> str:
    return format_datetime(_aware(value).astimezone(UTC), usegmt=True)


def _write_iso(value: datetime) -> str:
    return write_time(_aware(value).replace(microsecond=0))


def _write_fraction(value: datetime) -> str:
    return write_time(_aware(value))


def _aware(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(f"expected a datetime with a time zone, such as datetime.now(UTC), not {type(value).__name__}")
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    return value


def _read_time(text: str) -> datetime:
    time = parse_time(text)
    return _in_utc(time if isinstance(time, datetime) else datetime.fromisoformat(text))


def _read_rfc1123(text: str) -> datetime:
    # ISO 8601 occurs here too: in the query parameter `response-expires`, and in `Last-Modified` of some gateways.
    return _read_time(text) if text[:1].isdigit() else _in_utc(parsedate_to_datetime(text))


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is out of range") from None


def _write_time_or_stored(value: Any) -> str:
    return str(value) if isinstance(value, Stored) else _write_rfc1123(value)


def _read_time_or_stored(text: str) -> datetime | Stored:
    try:
        return _read_rfc1123(text)
    except ValueError:
        return Stored(text)


def header_text(value: str) -> str:
    """Return the value of a received header as text.

    Its bytes are read as UTF-8, else as Latin-1, the encoding of older HTTP.

    Headers arrive decoded as UTF-8, with a lone surrogate for every byte that is not UTF-8. A text with surrogates could be
    neither printed nor stored.
    """
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def _read_bool(text: str) -> bool:
    # IBM's documentation writes `True`, the service model `true`.
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return lowered == "true"


def _read_int(text: str) -> int:
    # int() would accept "1_000" and " 5".
    if not re.fullmatch(r"-?[0-9]{1,20}", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _write_seconds(value: Any) -> str:
    if isinstance(value, timedelta):
        if value.microseconds:
            raise ValueError(f"{value} is not a whole number of seconds")
        return str(value.days * 86400 + value.seconds)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected seconds as an int, or a timedelta, not {type(value).__name__}")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string, not {type(value).__name__}")
    return value


def _write_int(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, not {type(value).__name__}")
    return str(value)


def _write_bool(value: Any) -> str:
    if not isinstance(value, bool):
        raise ValueError(f"expected True or False, not {type(value).__name__}")
    return "true" if value else "false"


def _write_range(value: object) -> str:
    if isinstance(value, str):
        return ByteRange.from_wire(value).to_wire()
    if not isinstance(value, ByteRange):
        raise ValueError(f"expected ByteRange(first, last) or 'bytes=first-last', not {type(value).__name__}")
    return value.to_wire()


def texts_of(values: Any) -> Mapping[str, str]:
    """Return a dictionary if all its names and values are strings.

    Raises `ValueError`, which names the type that was given instead.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"expected a dict of strings, not {type(values).__name__}")
    for name, value in cast("Mapping[object, object]", values).items():
        if not isinstance(name, str):
            raise ValueError(f"the names are strings, not {type(name).__name__}: write {str(name)!r}")
        if not isinstance(value, str):
            raise ValueError(f"the value of {name!r} is a string, not {type(value).__name__}: write {str(value)!r}")
    return cast("Mapping[str, str]", values)


def _write_tags(value: object) -> str:
    if isinstance(value, str):
        return value
    return urlencode(texts_of(value), quote_via=quote)


def _write_copy_source(value: object) -> str:
    # `CopySource(*value)` would split a string into its characters.
    if not isinstance(value, tuple):
        raise ValueError(
            f"a copy source is a tuple (bucket, key) or a CopySource, not {type(value).__name__}: "
            'write ("bucket", "key"), with the key as it is, not encoded'
        )
    return CopySource(*cast("tuple[str, str]", value)).to_wire()


_CODECS: dict[Any, Codec] = {
    str: Codec(_text, str),
    int: Codec(_write_int, _read_int),
    bool: Codec(_write_bool, _read_bool),
    CopySource: Codec(_write_copy_source, CopySource.from_wire),
    ByteRange: Codec(_write_range, ByteRange.from_wire),
}
_TAGS = Codec(_write_tags, str)
_RFC1123 = Codec(_write_rfc1123, _read_rfc1123)
_RFC1123_OR_STORED = Codec(_write_time_or_stored, _read_time_or_stored)
_ISO = Codec(_write_iso, _read_time)
_FRACTION = Codec(_write_fraction, _read_time)
_SECONDS = Codec(_write_seconds, _read_int)


@cache
def codec(annotation: Any, iso: bool = False, fraction: bool = False) -> Codec:
    """Return the codec of a type. Raise `TypeError` if it has none.

    Args:
        annotation: Type of the parameter, with or without `| None` and `Annotated`.
        iso: Write times as ISO 8601 in whole seconds, instead of RFC 1123.
        fraction: With `iso`: keep milliseconds.
    """
    kind = unwrap(annotation)
    if get_origin(kind) in (Union, UnionType):
        members = {a for a in get_args(kind) if a is not NoneType}
        if timedelta in members:
            return _SECONDS
        if Stored in members:
            return _RFC1123_OR_STORED
        for known in (CopySource, ByteRange):
            if known in members:
                return _CODECS[known]
        if dict[str, str] in members:
            return _TAGS
        kind = str if str in members else kind
    if kind is datetime:
        return (_FRACTION if fraction else _ISO) if iso else _RFC1123
    if get_args(kind) and all(isinstance(a, str) for a in get_args(kind)):  # Literal["COPY", "REPLACE"]
        return _CODECS[str]
    if kind in _CODECS:
        return _CODECS[kind]
    raise TypeError(f"{annotation} has no form for headers and query parameters")
