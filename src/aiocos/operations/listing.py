"""Listings: of objects (version 2 and 1), of versions. Multipart uploads and parts are listed in `multipart`.

Keys travel percent-encoded (`encoding-type=url`), since XML cannot carry every key; they are decoded here, and a page holds
the very keys that were put.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-bucket-operations
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Literal, cast
from urllib.parse import quote_plus, unquote, unquote_plus

from aiocos.operations import entries
from aiocos.operations.shared import ExpectedOwnerParams, MirrorParams, Owner, RequestPayerParams
from aiocos.wire.document import Document, Element, Timestamp
from aiocos.wire.spec import Header, Operation, Query, Result, operation

# What is percent-encoded in a listing that is asked for `encoding-type=url`.
_ENCODED = ("prefix", "delimiter", "key", "marker", "next_marker", "start_after", "key_marker", "next_key_marker")


class Page(Result):
    """One page of a listing whose keys may be encoded."""

    never_encoded: ClassVar[frozenset[str]] = frozenset()
    """Fields of the page itself that stay as they are although the page is encoded."""

    encoding_type: str | None = None

    @classmethod
    def received(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Decode the keys of a page that says it is encoded. A space comes as `+`, or as `%20`."""
        if values.get("encoding_type") == "url":
            _decode(values, cls.never_encoded)
        return values

    def to_xml(self) -> bytes:
        """Write the page, encoded if it says so."""
        return Document.to_xml(_encode(self, self.never_encoded) if self.encoding_type == "url" else self)


def _decode(values: dict[str, Any], never: frozenset[str] = frozenset()) -> None:
    for name, value in values.items():
        if isinstance(value, str):
            if name in _ENCODED and name not in never and ("%" in value or "+" in value):
                values[name] = unquote_plus(value)
        elif isinstance(value, list):
            for item in cast("list[Any]", value):
                if isinstance(item, dict):
                    _decode(cast("dict[str, Any]", item))


def _encode(document: Document, never: frozenset[str] = frozenset()) -> Document:
    changed: dict[str, Any] = {}
    for name in type(document).model_fields:
        value = getattr(document, name)
        if isinstance(value, str):
            if name in _ENCODED and name not in never:
                changed[name] = quote_plus(value, safe="/-._~")
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            changed[name] = [_encode(item) if isinstance(item, Document) else item for item in items]
    return document.model_copy(update=changed)


def another_page(
    bucket: str, prefix: str | None, told_bucket: str | None, told_prefix: str | None, keys: list[str]
) -> str | None:
    """Say why a page is of another listing than the one that was asked for; None where it may be of this one.

    What a service leaves out says nothing. A prefix may come encoded or not, whatever the page says of its encoding.
    """
    # Servers with tenants (`tenant:bucket`) say the bucket alone.
    if told_bucket and bucket != told_bucket and bucket.rpartition(":")[2] != told_bucket:
        return f"the page is of the bucket {told_bucket}"
    asked = prefix or ""
    if (
        told_prefix is not None
        and told_prefix != asked
        and _plain(told_prefix) not in (_plain(asked), _plain(unquote_plus(asked)))
    ):
        return f"the page is of the prefix {told_prefix!r}, and not of {asked!r}"
    # Keys are in order: with the first and the last all others have the prefix.
    if asked and keys and not (keys[0].startswith(asked) and keys[-1].startswith(asked)):
        alike = _plain(asked)
        if not all(_plain(key).startswith(alike) for key in (keys[0], keys[-1])):
            return f"the page has keys without the prefix {asked!r}"
    return None


def another_object(bucket: str, key: str, told_bucket: str | None, told_key: str | None) -> str | None:
    """Say why an answer is about another object than the one that was asked for; None where it may be about this one.

    What a service leaves out says nothing. A key may come encoded or not.
    """
    if told_bucket and bucket != told_bucket and bucket.rpartition(":")[2] != told_bucket:
        return f"it is about the bucket {told_bucket}"
    if (
        told_key
        and told_key != key
        and _plain(key) not in (_plain(told_key), _plain(unquote(told_key)), _plain(unquote_plus(told_key)))
    ):
        return f"it is about the key {told_key!r}, and not {key!r}"
    return None


def ends(entries: Sequence["ObjectEntry"]) -> list[str]:
    """Return the first and the last key of a page."""
    return [entries[0].key, entries[-1].key] if entries else []


def _plain(text: str) -> str:
    # A parser reads one line break for every form of it.
    return text.replace("\r\n", "\n").replace("\r", "\n")


class ObjectEntry(Document):
    """An object in a listing. The owner is given only where it was asked for."""

    root: ClassVar[str] = "Contents"

    key: str
    last_modified: Timestamp | None = None
    etag: Annotated[str, Element("ETag")] = ""
    size: int = 0
    storage_class: str | None = None
    owner: Owner | None = None
    checksum_algorithm: tuple[str, ...] = ()
    checksum_type: str | None = None


class CommonPrefix(Document):
    """Keys that share this prefix up to the delimiter: a folder, so to say."""

    root: ClassVar[str] = "CommonPrefixes"

    prefix: str


class KeyPage(Page):
    """What all listings of keys have in common."""

    needed: ClassVar[tuple[str, ...]] = ("is_truncated",)

    name: str | None = None
    prefix: str | None = None
    delimiter: str | None = None
    max_keys: int | None = None
    is_truncated: bool = False
    common_prefixes: list[CommonPrefix] = []


class ObjectPage(KeyPage):
    """What both versions of the object listing have in common."""

    root: ClassVar[str] = "ListBucketResult"

    contents: list[ObjectEntry] = []

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        """Read the objects at once where their form allows it."""
        return entries.read(cls, body, "contents", ObjectEntry) or super().read(body)


class ListObjectsV2Result(ObjectPage):
    """A page of objects. The next page is asked for with `next_continuation_token`."""

    key_count: int | None = None
    continuation_token: str | None = None
    next_continuation_token: str | None = None
    start_after: str | None = None


@operation("GET", "/{bucket}?list-type=2")
class ListObjectsV2(ExpectedOwnerParams, Operation[ListObjectsV2Result]):
    """List objects, page by page."""

    bucket: str
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    """Roll keys up at this string after the prefix (`/`); they appear as common prefixes."""
    start_after: Annotated[str | None, Query("start-after")] = None
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Entries a page, at most and by default 1,000."""
    continuation_token: Annotated[str | None, Query("continuation-token")] = None
    fetch_owner: Annotated[bool | None, Query("fetch-owner")] = None
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"

    def contradiction(self, result: ListObjectsV2Result) -> str | None:
        """Compare the bucket and the prefix that the page is of, and how many entries it says that it has."""
        count = len(result.contents) + len(result.common_prefixes)
        # Some services count the objects alone; a page with fewer entries than it says has lost some.
        if result.key_count is not None and result.key_count > count:
            return f"the page has {count} entries, and says that it has {result.key_count}"
        return another_page(self.bucket, self.prefix, result.name, result.prefix, ends(result.contents))


class ListObjectsResult(ObjectPage):
    """A page of objects, first version of the listing. Without `next_marker` the last key is the next marker."""

    # IBM's and Amazon's SDKs decode every other name of this page, and take the prefix as it stands.
    never_encoded: ClassVar[frozenset[str]] = frozenset({"prefix"})

    marker: str | None = None
    next_marker: str | None = None
    kp_enabled: Annotated[bool | None, Header("ibm-sse-kp-enabled")] = None
    kp_root_key_id: Annotated[str | None, Header("ibm-sse-kp-crk-id")] = None


@operation("GET", "/{bucket}")
class ListObjects(MirrorParams, RequestPayerParams, ExpectedOwnerParams, Operation[ListObjectsResult]):
    """List objects, page by page (the first version of this call)."""

    bucket: str
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    marker: Annotated[str | None, Query("marker")] = None
    """Start after this key."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"

    def contradiction(self, result: ListObjectsResult) -> str | None:
        """Compare the bucket and the prefix that the page is of."""
        return another_page(self.bucket, self.prefix, result.name, result.prefix, ends(result.contents))


class ObjectVersion(ObjectEntry):
    """One version of an object in a listing."""

    root: ClassVar[str] = "Version"

    version_id: str | None = None
    is_latest: bool | None = None


class DeleteMarker(Document):
    """What a deletion in a versioned bucket leaves."""

    key: str
    version_id: str | None = None
    is_latest: bool | None = None
    last_modified: Timestamp | None = None
    owner: Owner | None = None


class ListObjectVersionsResult(KeyPage):
    """A page of versions and delete markers."""

    root: ClassVar[str] = "ListVersionsResult"
    other_roots: ClassVar[tuple[str, ...]] = ("ListBucketVersionsResult",)

    key_marker: str | None = None
    version_id_marker: str | None = None
    next_key_marker: str | None = None
    next_version_id_marker: str | None = None
    versions: Annotated[list[ObjectVersion], Element("Version")] = []
    delete_markers: Annotated[list[DeleteMarker], Element("DeleteMarker")] = []

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        """Read the versions at once where their form allows it."""
        return entries.read(cls, body, "versions", ObjectVersion) or super().read(body)


@operation("GET", "/{bucket}?versions")
class ListObjectVersions(ExpectedOwnerParams, Operation[ListObjectVersionsResult]):
    """List versions and delete markers, page by page."""

    bucket: str
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    key_marker: Annotated[str | None, Query("key-marker")] = None
    version_id_marker: Annotated[str | None, Query("version-id-marker")] = None
    max_keys: Annotated[int | None, Query("max-keys")] = None
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"

    def contradiction(self, result: ListObjectVersionsResult) -> str | None:
        """Compare the bucket and the prefix that the page is of."""
        return another_page(self.bucket, self.prefix, result.name, result.prefix, ends(result.versions))
