"""Checks of values that become the path, the headers or the body of a request.

Each raises `ValueError` for a value that cannot be sent.
"""

import re
from collections.abc import Mapping
from typing import cast

from aiocos.wire.message import Bytes, Request
from aiocos.wire.values import texts_of

# A line break would end the header, other control characters are not allowed in one, and a lone surrogate is not text.
_FORBIDDEN = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def put_path(request: Request, name: str, value: object) -> None:
    """Check the parameter `bucket` or `key` and put it into the path of a request."""
    # With an empty key, the deletion of an object would delete its bucket.
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a name, not {value!r}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{value!r} cannot be written as UTF-8") from error
    if name == "bucket":
        if "/" in value or "?" in value or "#" in value or value in (".", ".."):
            raise ValueError(f"{value!r} is not a bucket name")
        request.bucket = value
    else:
        request.key = value


def put_map(headers: dict[str, str], prefix: str, values: Mapping[str, str]) -> None:
    """Check a dictionary and put it into headers whose names have a common prefix."""
    if len({name.lower() for name in texts_of(values)}) < len(values):
        raise ValueError("two names differ only in case, which the service ignores")
    for name, value in values.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a header")
        headers[prefix + name] = check_header(value)


def check_header(value: str) -> str:
    """Return the value of a header.

    Raises `ValueError` if a header cannot carry it.
    """
    if found := _FORBIDDEN.search(value):
        raise ValueError(
            f"a header cannot carry the control character U+{ord(found.group()):04X}: encode the value (percent, base64)"
        )
    return value


def check_payload(value: object) -> Bytes:
    """Return the bytes of a body.

    Raises `ValueError` if the value is not bytes.
    """
    if isinstance(value, memoryview):
        view = cast("memoryview[int]", value)
        return view if view.format == "B" and view.ndim == 1 else view.cast("B")
    if isinstance(value, bytes | bytearray):
        return value
    raise ValueError(f"the body must be bytes, not {type(value).__name__}: encode text; for files and streams use `upload`")
