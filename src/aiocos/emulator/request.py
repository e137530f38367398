"""Convert received HTTP requests to `Request` objects.

The specs of operations parse them.
"""

import re
from urllib.parse import unquote_plus, urlsplit

from aiohttp import web

from aiocos.emulator.context import failure
from aiocos.wire.address import split_path
from aiocos.wire.message import Request


def split_target(target: str) -> tuple[str, str]:
    """Split the target of a request line into path and query, still encoded.

    Clients of proxies send a whole URL.
    """
    if not target.startswith("/"):
        parts = urlsplit(target)
        return parts.path or "/", parts.query
    path, _, query = target.partition("?")
    return path, query


# Hosts of the service have the form [bucket.]s3.[private.|direct.]<region>.…; here the last part is `localhost`.
_SERVICE = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:\.(?:private|direct))?"
    r"(?:\.(?:(?:us|eu|ap|au|br|ca|in|jp)(?:-[a-z]+)?(?:-[0-9]+)?|[a-z]{3}[0-9]{2}))?"
)


def bucket_of_host(host: str) -> str | None:
    """Return the bucket that a Host header names.

    None for a request that has the bucket in its path.

    `bucket.localhost`, `bucket.s3.localhost` and `bucket.s3.<region>.localhost` name one, with or without a port;
    `localhost`, `s3.localhost` and `s3.<region>.localhost` do not. Upper case counts as lower case.
    """
    name = re.sub(r":[0-9]*$", "", host).lower().removesuffix(".")
    if not name.endswith(".localhost"):
        return None
    name = name.removesuffix(".localhost")
    found = _SERVICE.fullmatch(name)
    return name if found is None else found["bucket"]


def read(request: web.BaseRequest, bucket: str | None, path: str, query: str) -> Request:
    """Build the `Request`.

    The path is not normalized: `..` and `//` are part of keys.
    """
    try:
        if bucket is not None:
            path = f"/{bucket}{path}"
        name, key = split_path(path)
        pairs = [_pair(part) for part in query.split("&") if part]
        (path + query).encode()  # bytes that are not UTF-8 are surrogates in the text
    except UnicodeError:
        raise failure("InvalidURI", "Couldn't parse the specified URI.") from None
    headers: dict[str, str] = {}
    for header, value in request.headers.items():
        lowered = header.lower()
        if not value.isascii() and not _is_text(value):
            raise failure("InvalidArgument", f"the header {header} is not UTF-8")
        headers[lowered] = f"{headers[lowered]},{value}" if lowered in headers else value
    encoding = headers.get("content-encoding")
    if encoding is not None and "aws-chunked" in encoding.lower():
        # aws-chunked describes the transfer; the rest is the content encoding of the object.
        rest = ",".join(e.strip() for e in encoding.split(",") if e.strip().lower() != "aws-chunked")
        headers = {n: v for n, v in headers.items() if n != "content-encoding"} | ({"content-encoding": rest} if rest else {})
    for n, value in pairs:
        # Presigned URLs may have headers in their query.
        if n.lower().startswith("x-amz-") and not n.startswith("X-Amz-"):
            headers.setdefault(n.lower(), value)
    return Request(request.method, name, key, pairs, headers)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
