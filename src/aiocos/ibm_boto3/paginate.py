"""Paginators: iterators over the pages of a listing.

::

    async for page in client.get_paginator("list_objects_v2").paginate(Bucket="photos"):
        ...
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast
from urllib.parse import unquote_plus

from aiocos.ibm_boto3.exceptions import PaginationError

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import PaginatorConfigTypeDef

Call = Callable[..., Awaitable[Any]]
Response = TypeVar("Response")
FullResult = TypeVar("FullResult")

# Key in a token: how many entries of the page were returned already.
_RETURNED = "boto_truncate_amount"
# Inputs that hold object keys.
_KEYS = ("Marker", "KeyMarker")


@dataclass(frozen=True, slots=True)
class Pages:
    """The members with which an operation pages."""

    inputs: tuple[str, ...]
    """Parameters that name the page to return."""
    outputs: tuple[str, ...]
    """Members of a page that name the next one, in the order of `inputs`."""
    limit: str
    """Parameter that limits the entries of a page."""
    entries: tuple[str, ...]
    """Members that hold the entries. `MaxItems` counts those of the first one."""
    besides: tuple[str, ...] = ()
    """Further members that `build_full_result` returns."""

    def following(self, page: Mapping[str, Any]) -> dict[str, str | None]:
        """Return the parameters that request the next page; each is None after the last."""
        if not page.get("IsTruncated"):
            return dict.fromkeys(self.inputs)
        return {name: self._token(page, output) for name, output in zip(self.inputs, self.outputs, strict=True)}

    def _token(self, page: Mapping[str, Any], output: str) -> Any:
        if output == "NextMarker" and not page.get(output):
            # Not every response has NextMarker. The last entry names the next page then.
            field = "Name" if self.entries[0] == "Buckets" else "Key"
            entries = cast("list[dict[str, Any]]", page.get(self.entries[0]) or [{}])
            return entries[-1].get(field)
        return page.get(output) or None


PAGED: dict[str, Pages] = {
    "ListObjectsV2": Pages(("ContinuationToken",), ("NextContinuationToken",), "MaxKeys", ("Contents", "CommonPrefixes")),
    "ListObjects": Pages(("Marker",), ("NextMarker",), "MaxKeys", ("Contents", "CommonPrefixes")),
    "ListObjectVersions": Pages(
        ("KeyMarker", "VersionIdMarker"),
        ("NextKeyMarker", "NextVersionIdMarker"),
        "MaxKeys",
        ("Versions", "DeleteMarkers", "CommonPrefixes"),
    ),
    "ListMultipartUploads": Pages(
        ("KeyMarker", "UploadIdMarker"), ("NextKeyMarker", "NextUploadIdMarker"), "MaxUploads", ("Uploads", "CommonPrefixes")
    ),
    "ListParts": Pages(
        ("PartNumberMarker",),
        ("NextPartNumberMarker",),
        "MaxParts",
        ("Parts",),
        ("ChecksumAlgorithm", "Initiator", "Owner", "StorageClass", "ChecksumType"),
    ),
    "ListBucketsExtended": Pages(("Marker",), ("NextMarker",), "MaxKeys", ("Buckets",)),
}


class Paginator(Generic[Response, FullResult]):
    """A paginator of one operation: returns iterators over its pages."""

    def __init__(self, call: Call, pages: Pages) -> None:
        self._call = call
        self._pages = pages

    def paginate(
        self, *, PaginationConfig: PaginatorConfigTypeDef | None = None, **kwargs: Any
    ) -> PageIterator[Response, FullResult]:
        """Return an iterator over the pages.

        The iterator sends a request for each page when the page is needed.

        Args:
            PaginationConfig: `MaxItems` (entries in all), `PageSize` (entries per request) and `StartingToken` (`NextToken` of
                an earlier iterator, to continue after it).
            **kwargs: Parameters of the operation.

        Raises:
            PaginationError: `PaginationConfig` has an unknown key, or a value that is not a number.
        """
        config: dict[str, Any] = dict(PaginationConfig or {})
        if unknown := sorted(set(config) - {"MaxItems", "PageSize", "StartingToken"}):
            raise PaginationError(f"PaginationConfig has no {', '.join(unknown)}: it has MaxItems, PageSize, StartingToken")
        try:
            most = None if config.get("MaxItems") is None else int(config["MaxItems"])
            size = None if config.get("PageSize") is None else int(config["PageSize"])
        except (TypeError, ValueError) as error:
            raise PaginationError(f"PaginationConfig: {error}") from error
        if size is not None:
            kwargs[self._pages.limit] = size
        return PageIterator(self._call, self._pages, kwargs, most, config.get("StartingToken") or None)


class PageIterator(Generic[Response, FullResult]):
    """The pages of a listing, each requested when it is reached.

    A second iteration sends the requests again.
    """

    def __init__(self, call: Call, pages: Pages, arguments: dict[str, Any], most: int | None, start: str | None) -> None:
        self._call = call
        self._pages = pages
        self._arguments = arguments
        self._most = most
        self._start = start
        self.resume_token: str | None = None
        """`StartingToken` for another iterator; None unless this one stopped at `MaxItems` before the end."""

    def __aiter__(self) -> AsyncIterator[Response]:
        return self._each()

    def __iter__(self) -> NoReturn:
        raise TypeError("each page is a request: write `async for page in …`")

    async def _each(self) -> AsyncIterator[Any]:
        pages, first_of = self._pages, self._pages.entries[0]
        arguments = dict(self._arguments)
        self.resume_token = None
        token: dict[str, Any] = dict.fromkeys(pages.inputs)
        skip = 0
        if self._start is not None:
            token, skip = _decode(self._start, pages)
            _set(arguments, token)
        count, before = 0, None
        while True:
            page = await self._call(**arguments)
            if skip:
                # The other entries of this page were returned before the token was made.
                page.update({other: [] for other in pages.entries[1:] if other in page})
                page[first_of] = page.get(first_of, [])[skip:]
            here = len(page.get(first_of) or [])
            if self._most is not None and count + here > self._most:
                kept = self._most - count
                page[first_of] = page[first_of][:kept]
                if kept + skip:
                    token = {**token, _RETURNED: kept + skip}
                self.resume_token = _encode(token)
                yield page
                return
            skip = 0
            yield page
            count += here
            token = pages.following(page)
            if page.get("EncodingType") == "url" and "EncodingType" in arguments:
                # Keys in a page stay encoded if the caller asked for it. The marker in the next request is sent decoded.
                token = {name: unquote_plus(value) if value and name in _KEYS else value for name, value in token.items()}
            if all(value is None for value in token.values()):
                return
            if self._most is not None and count == self._most:
                self.resume_token = _encode(token)
                return
            if token == before:
                raise PaginationError(f"The same next token was received twice: {token}")
            before = token
            _set(arguments, token)

    def result_key_iters(self) -> list[AsyncIterator[dict[str, Any]]]:
        """Return one iterator for each list of entries (`Contents`, `CommonPrefixes`).

        Each iterator requests all pages again.
        """
        return [self._entries(name) for name in self._pages.entries]

    async def _entries(self, name: str) -> AsyncIterator[dict[str, Any]]:
        again: PageIterator[dict[str, Any], Any] = PageIterator(
            self._call, self._pages, self._arguments, self._most, self._start
        )
        async for page in again:
            for entry in page.get(name) or ():
                yield entry

    async def build_full_result(self) -> FullResult:
        """Return all pages as one response.

        If `MaxItems` ends the listing early, the response has a `NextToken`: the `StartingToken` of the next pagination.
        """
        whole: dict[str, Any] = {}
        page: dict[str, Any] = {}
        async for page in self._each():
            for name in self._pages.entries:
                if name in page:
                    whole.setdefault(name, []).extend(page[name])
        whole.update({name: page[name] for name in self._pages.besides if name in page})
        if self.resume_token is not None:
            whole["NextToken"] = self.resume_token
        return cast("FullResult", whole)


def _set(arguments: dict[str, Any], token: Mapping[str, Any]) -> None:
    for name, value in token.items():
        if value is None:
            arguments.pop(name, None)
        elif name != _RETURNED:
            arguments[name] = value


def _encode(token: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps(token).encode()).decode()


def _decode(text: str, pages: Pages) -> tuple[dict[str, Any], int]:
    """Return the parameters in a token, and how many entries of the page to skip.

    Tokens of IBM's SDK have the same form. Text in another form is taken for the older one.
    """
    try:
        token = json.loads(base64.b64decode(text, validate=True))
        skip = int(token.pop(_RETURNED, 0))
        if not set(token) <= set(pages.inputs):
            raise ValueError(f"it names {', '.join(token)}")
    except (ValueError, AttributeError, TypeError, binascii.Error):
        return _decode_old_form(text, pages)
    return token, skip


def _decode_old_form(text: str, pages: Pages) -> tuple[dict[str, Any], int]:
    """Return the parameters in a token of botocore's older form, and entries to skip.

    In this form the values are joined by `___`; a number of entries to skip may follow as the last value.
    """
    values, skip = text.split("___"), 0
    if len(values) == len(pages.inputs) + 1:
        try:
            skip = int(values.pop())
        except ValueError:
            raise PaginationError(f"Bad starting token: {text}") from None
    if len(values) != len(pages.inputs):
        raise PaginationError(f"Bad starting token: {text}")
    return {name: None if value == "None" else value for name, value in zip(pages.inputs, values, strict=True)}, skip
