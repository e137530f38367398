"""Operation specs: listings of objects and of their versions.

Both versions of the object listing are here: `ListObjects` (1) and `ListObjectsV2`.

Listings of multipart uploads and parts are in `multipart`.

Keys travel percent-encoded (`encoding-type=url`), since XML cannot carry every key. They are decoded here, so that a page holds
exactly the keys that were stored.

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
from aiocos.wire.text import normalize_line_breaks

# Fields that the service percent-encodes in a listing requested with `encoding-type=url`.
_ENCODED = ("prefix", "delimiter", "key", "marker", "next_marker", "start_after", "key_marker", "next_key_marker")


class Page(Result):
    """One page of a listing, whose keys may be percent-encoded."""

    never_encoded: ClassVar[frozenset[str]] = frozenset()
    """Fields of the page that are never percent-encoded, even if `encoding_type` is `url`."""

    encoding_type: str | None = None
    """`url` if the service sent the keys percent-encoded. They are decoded here; None if they came as they are."""

    @classmethod
    def received(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Decode the keys of a page whose encoding type is `url`.

        Services encode a space as `+` or as `%20`.

        Args:
            values: Fields of the page, as parsed. They are changed in place.
        """
        if values.get("encoding_type") == "url":
            _decode(values, cls.never_encoded)
        return values

    def to_xml(self) -> bytes:
        """Write the page as XML, percent-encoded if its encoding type is `url`."""
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


def page_mismatch(
    bucket: str, prefix: str | None, page_bucket: str | None, page_prefix: str | None, keys: list[str]
) -> str | None:
    """Return the reason why a page does not belong to the requested listing, or None.

    A page may leave out its bucket and prefix. Its prefix may be percent-encoded or not, whatever encoding type the page
    declares.

    Args:
        bucket: Requested bucket.
        prefix: Requested prefix.
        page_bucket: Bucket that the page names.
        page_prefix: Prefix that the page names.
        keys: The first and the last key of the page, or all of them.
    """
    # Services with tenants (`tenant:bucket`) return the bucket alone.
    if page_bucket and bucket != page_bucket and bucket.rpartition(":")[2] != page_bucket:
        return f"the page belongs to the bucket {page_bucket}"
    requested = prefix or ""
    if (
        page_prefix is not None
        and page_prefix != requested
        and normalize_line_breaks(page_prefix)
        not in (normalize_line_breaks(requested), normalize_line_breaks(unquote_plus(requested)))
    ):
        return f"the page has the prefix {page_prefix!r}, not {requested!r}"
    # Keys are in order: if the first and the last have the prefix, all have it.
    if requested and keys and not (keys[0].startswith(requested) and keys[-1].startswith(requested)):
        normal = normalize_line_breaks(requested)
        if not all(normalize_line_breaks(key).startswith(normal) for key in (keys[0], keys[-1])):
            return f"the page has keys without the prefix {requested!r}"
    return None


def object_mismatch(bucket: str, key: str, response_bucket: str | None, response_key: str | None) -> str | None:
    """Return the reason why a response is about another object, or None.

    A response may leave out the bucket and the key. The key may be percent-encoded or not.

    Args:
        bucket: Requested bucket.
        key: Requested key.
        response_bucket: Bucket that the response names.
        response_key: Key that the response names.
    """
    if response_bucket and bucket != response_bucket and bucket.rpartition(":")[2] != response_bucket:
        return f"it belongs to the bucket {response_bucket}"
    if response_key and response_key != key:
        forms = (response_key, unquote(response_key), unquote_plus(response_key))
        if normalize_line_breaks(key) not in map(normalize_line_breaks, forms):
            return f"it belongs to the key {response_key!r}, not {key!r}"
    return None


def _first_and_last(entries: Sequence["ObjectEntry"]) -> list[str]:
    return [entries[0].key, entries[-1].key] if entries else []


class ObjectEntry(Document):
    """An object in a listing."""

    root: ClassVar[str] = "Contents"

    key: str
    """Key of the object, decoded."""
    last_modified: Timestamp | None = None
    """Time at which the object was written (UTC, in milliseconds)."""
    etag: Annotated[str, Element("ETag")] = ""
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    size: int = 0
    """Size in bytes."""
    storage_class: str | None = None
    """Storage class. IBM calls it a constant default here: use `objects.head` to see whether an object is archived."""
    owner: Owner | None = None
    """Owner of the object. Version 2 of the listing has it only with `fetch_owner=True`."""
    checksum_algorithm: tuple[str, ...] = ()
    """Checksums that the service has of the object, such as `("CRC64NVME",)`. Empty if it reports none."""
    checksum_type: str | None = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class CommonPrefix(Document):
    """A prefix that many keys share up to the delimiter, like a folder."""

    root: ClassVar[str] = "CommonPrefixes"

    prefix: str
    """The shared prefix, with the delimiter at its end."""


class KeyPage(Page):
    """The fields that the pages of all listings of keys have."""

    needed: ClassVar[tuple[str, ...]] = ("is_truncated",)

    name: str | None = None
    """Name of the bucket."""
    prefix: str | None = None
    """Requested prefix. None or empty if none was requested."""
    delimiter: str | None = None
    """Requested delimiter. None or empty if none was requested."""
    max_keys: int | None = None
    """Limit of entries for this page, as the service applied it."""
    is_truncated: bool = False
    """True if another page follows."""
    common_prefixes: list[CommonPrefix] = []
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""


class ObjectPage(KeyPage):
    """The fields that pages of both versions of the object listing have."""

    root: ClassVar[str] = "ListBucketResult"

    contents: list[ObjectEntry] = []
    """Objects of the page."""

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        """Parse the XML of a page.

        The objects are read column by column if all have one form, else by the general codec.

        Args:
            body: The XML.
        """
        return entries.read(cls, body, "contents", ObjectEntry) or super().read(body)


class ListObjectsV2Result(ObjectPage):
    """A page of objects. `next_continuation_token` requests the next one."""

    key_count: int | None = None
    """Number of entries of the page, as the service counts them. Some services leave common prefixes out of it."""
    continuation_token: str | None = None
    """Token with which this page was requested."""
    next_continuation_token: str | None = None
    """Token of the next page. None on the last page."""
    start_after: str | None = None
    """Requested key after which the listing starts."""


@operation("GET", "/{bucket}?list-type=2")
class ListObjectsV2(ExpectedOwnerParams, Operation[ListObjectsV2Result]):
    """List the objects of a bucket, page by page.

    `objects.list` returns a `Listing`: iterate over it with `async for`, and the pages are requested as they are needed.

    Returns at most 1,000 entries a page. IBM's page calls the order of the keys non-lexicographical.

    Raises `ProtocolError` if the page belongs to another bucket or prefix, or has fewer entries than it counts.
    """

    bucket: str
    """Name of the bucket."""
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    """List only keys that start with this text. None lists all."""
    delimiter: Annotated[str | None, Query("delimiter")] = None
    """Group the keys that are equal up to this text after the prefix (usually `/`). None groups nothing."""
    start_after: Annotated[str | None, Query("start-after")] = None
    """List only keys after this one. The service ignores it if `continuation_token` is given."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Entries of one page, common prefixes included: 1 to 1,000 (the default)."""
    continuation_token: Annotated[str | None, Query("continuation-token")] = None
    """`next_continuation_token` of the page before. None starts at the beginning."""
    fetch_owner: Annotated[bool | None, Query("fetch-owner")] = None
    """True includes the owner of each object. None or False leaves it out."""
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"
    """`url` (default): keys travel percent-encoded and are decoded here.
    None sends them as they are: a key that XML cannot carry makes the page unreadable (`ProtocolError`).
    """

    def find_mismatch(self, result: ListObjectsV2Result) -> str | None:
        """Compare the bucket, the prefix and the number of entries."""
        count = len(result.contents) + len(result.common_prefixes)
        # Some services count only the objects. A page with fewer entries than it counts has lost some.
        if result.key_count is not None and result.key_count > count:
            return f"the page has {count} entries, but counts {result.key_count}"
        return page_mismatch(self.bucket, self.prefix, result.name, result.prefix, _first_and_last(result.contents))


class ListObjectsResult(ObjectPage):
    """A page of objects, version 1 of the listing.

    Where `next_marker` is missing, the last key of the page is the next marker.
    """

    # IBM's and Amazon's SDKs decode every other field of this page, but not the prefix.
    never_encoded: ClassVar[frozenset[str]] = frozenset({"prefix"})

    marker: str | None = None
    """Requested key after which the page starts."""
    next_marker: str | None = None
    """Marker of the next page. Services may leave it out if no delimiter was requested."""
    kp_enabled: Annotated[bool | None, Header("ibm-sse-kp-enabled")] = None
    """True if the bucket is encrypted by a root key (Key Protect or Hyper Protect Crypto Services)."""
    kp_root_key_id: Annotated[str | None, Header("ibm-sse-kp-crk-id")] = None
    """Id of the bucket's root key."""


@operation("GET", "/{bucket}")
class ListObjects(MirrorParams, RequestPayerParams, ExpectedOwnerParams, Operation[ListObjectsResult]):
    """List the objects of a bucket, page by page (version 1 of the call).

    `objects.list_v1` returns a `Listing`, as `objects.list` does. Version 2 is the better choice for all services that have it.

    Raises `ProtocolError` if the page belongs to another bucket or prefix.
    """

    bucket: str
    """Name of the bucket."""
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    """List only keys that start with this text. None lists all."""
    delimiter: Annotated[str | None, Query("delimiter")] = None
    """Group the keys that are equal up to this text after the prefix (usually `/`). None groups nothing."""
    marker: Annotated[str | None, Query("marker")] = None
    """List only keys after this one. None starts at the beginning."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Entries of one page, common prefixes included: 1 to 1,000 (the default)."""
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"
    """`url` (default): keys travel percent-encoded and are decoded here.
    None sends them as they are: a key that XML cannot carry makes the page unreadable (`ProtocolError`).
    """

    def find_mismatch(self, result: ListObjectsResult) -> str | None:
        """Compare the bucket and the prefix."""
        return page_mismatch(self.bucket, self.prefix, result.name, result.prefix, _first_and_last(result.contents))


class ObjectVersion(ObjectEntry):
    """One version of an object in a listing."""

    root: ClassVar[str] = "Version"

    version_id: str | None = None
    """Id of the version; `null` for one written before versioning was enabled, or while it is suspended."""
    is_latest: bool | None = None
    """True if this is the current version of the key."""


class DeleteMarker(Document):
    """The marker that a deletion leaves in a bucket with versioning."""

    key: str
    """Key of the deleted object, decoded."""
    version_id: str | None = None
    """Version id of the marker. Deleting the marker by this id restores the object."""
    is_latest: bool | None = None
    """True if the marker is the current version of the key: a read of the key then raises `NoSuchKey`."""
    last_modified: Timestamp | None = None
    """Time of the deletion (UTC)."""
    owner: Owner | None = None
    """Owner of the marker."""


class ListObjectVersionsResult(KeyPage):
    """A page of versions and delete markers."""

    root: ClassVar[str] = "ListVersionsResult"
    other_roots: ClassVar[tuple[str, ...]] = ("ListBucketVersionsResult",)

    key_marker: str | None = None
    """Requested key after which the page starts."""
    version_id_marker: str | None = None
    """Requested version after which the page starts, within that key."""
    next_key_marker: str | None = None
    """`key_marker` of the next page. None on the last page."""
    next_version_id_marker: str | None = None
    """`version_id_marker` of the next page. None on the last page."""
    versions: Annotated[list[ObjectVersion], Element("Version")] = []
    """Versions of the page."""
    delete_markers: Annotated[list[DeleteMarker], Element("DeleteMarker")] = []
    """Delete markers of the page."""

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        """Parse the XML of a page.

        The versions are read column by column if all have one form, else by the general codec.

        Args:
            body: The XML.
        """
        return entries.read(cls, body, "versions", ObjectVersion) or super().read(body)


@operation("GET", "/{bucket}?versions")
class ListObjectVersions(ExpectedOwnerParams, Operation[ListObjectVersionsResult]):
    """List the versions and delete markers of a bucket, page by page.

    `objects.list_versions` returns a `Listing` of both, by key and within a key from the newest to the oldest.

    Raises `ProtocolError` if the page belongs to another bucket or prefix.
    """

    bucket: str
    """Name of the bucket."""
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    """List only keys that start with this text. None lists all."""
    delimiter: Annotated[str | None, Query("delimiter")] = None
    """Group the keys that are equal up to this text after the prefix (usually `/`). None groups nothing."""
    key_marker: Annotated[str | None, Query("key-marker")] = None
    """List only keys after this one, or its versions after `version_id_marker`. None starts at the beginning."""
    version_id_marker: Annotated[str | None, Query("version-id-marker")] = None
    """With `key_marker`: list the versions of that key after this one, and all later keys. None: later keys only."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Entries of one page, common prefixes included: 1 to 1,000 (the default)."""
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"
    """`url` (default): keys travel percent-encoded and are decoded here.
    None sends them as they are: a key that XML cannot carry makes the page unreadable (`ProtocolError`).
    """

    def find_mismatch(self, result: ListObjectVersionsResult) -> str | None:
        """Compare the bucket and the prefix."""
        return page_mismatch(self.bucket, self.prefix, result.name, result.prefix, _first_and_last(result.versions))
