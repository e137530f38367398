"""The rows of the database as dataclasses.

Instances, credentials, buckets, objects, uploads and parts.
"""

import json
import sqlite3
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

Role = Literal["Reader", "Writer", "Manager"]
"""A user's role in an instance. Each role includes the rights of the roles before it."""


class Segment(NamedTuple):
    """A byte range of a blob.

    An object's content is the concatenation of its segments.
    """

    blob: str
    """Id of the blob."""
    offset: int
    """Start of the range in the blob, in bytes."""
    length: int
    """Length of the range in bytes."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A service instance and its manager's credentials. Instances own buckets."""

    crn: str
    """CRN of the instance."""
    guid: str
    """GUID of the instance, which is the owner id of its buckets and objects."""
    api_key: str
    """The manager's IAM API key."""
    access_key_id: str
    """Access key id of the manager's HMAC pair."""
    secret_access_key: str
    """Secret of the manager's HMAC pair."""

    def __repr__(self) -> str:
        return f"Instance({self.crn!r})"


@dataclass(frozen=True, slots=True)
class Key:
    """Credentials of a user of an instance, with the user's role.

    An API key and an HMAC pair.
    """

    instance: Instance
    """The instance that the user belongs to."""
    role: Role
    """The user's role in the instance."""
    api_key: str
    """IAM API key."""
    access_key_id: str
    """Access key id of the HMAC pair."""
    secret_access_key: str
    """Secret of the HMAC pair."""

    @classmethod
    def of_manager(cls, instance: Instance) -> "Key":
        """Return the credentials that an instance was created with."""
        return cls(instance, "Manager", instance.api_key, instance.access_key_id, instance.secret_access_key)

    def __repr__(self) -> str:
        return f"Key({self.role} of {self.instance.crn!r})"


@dataclass(frozen=True, slots=True)
class Profile:
    """A trusted profile of an account.

    A compute resource can assume it with a token.
    """

    id: str
    """Id of the profile."""
    crn: str
    """CRN of the profile."""
    name: str
    """Name of the profile."""
    account: str
    """Id of the account."""
    compute_token: str = field(repr=False)
    """The token of a compute resource that may assume the profile."""
    key: Key
    """The credentials whose role applies to tokens of the profile."""


@dataclass(frozen=True, slots=True)
class BucketRow:
    """A bucket."""

    id: int
    """Id assigned by the database."""
    name: str
    """Name of the bucket."""
    instance: str
    """CRN of the instance that owns the bucket."""
    created: float
    """Time of the creation, in seconds since 1970."""
    location: str
    """Location with storage class, such as `us-south-standard`."""
    acl: str
    """Canned ACL of the bucket."""
    kp_root_key_crn: str | None = None
    """CRN of the Key Protect root key; None without one."""
    versioning: str | None = None
    """`Enabled` or `Suspended`; None if it was never configured."""
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """Other configurations as XML, by sub-resource (`website`, `object-lock` …)."""


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One version of an object, or a delete marker."""

    key: str
    """Key of the object."""
    etag: str
    """ETag without quotes; empty for a delete marker."""
    size: int
    """Size in bytes."""
    modified: float
    """Time of the write, in seconds since 1970."""
    owner: str
    """GUID of the instance that wrote the object."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Stored response headers and tags, by field names of `ObjectInfo`."""
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    """User metadata."""
    sums: dict[str, str] = field(default_factory=dict[str, str])
    """Checksums in base64, by algorithm."""
    segments: tuple[Segment, ...] = ()
    """The byte ranges that make up the content."""
    parts: tuple[int, ...] | None = None
    """Sizes of the parts of a multipart upload; None for an object stored by one request."""
    acl: str = "private"
    """Canned ACL of the version."""
    customer_md5: str | None = None
    """MD5 of the customer key (SSE-C); None without one."""
    retention: dict[str, Any] | None = None
    """Retention under a bucket's retention policy (IBM): period and legal holds."""
    lock: dict[str, Any] | None = None
    """Object Lock: mode, retain-until date and legal hold."""
    archive: dict[str, Any] | None = None
    """Archive class, time of archiving, and the state of a restore."""
    part_sums: tuple[str, ...] | None = None
    """Checksums of the parts, base64, if the object's is made of them (`COMPOSITE`); None otherwise."""
    version_id: str = "null"
    """Version id; `null` for writes while versioning was not enabled."""
    is_latest: bool = True
    """True for the version that a read without a version id finds."""
    delete_marker: bool = False
    """True for a delete marker."""
    serial: int = 0
    """Number assigned by the database; it grows with every write."""

    def copy(self, **changes: Any) -> "ObjectRow":
        """Return a copy with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An open multipart upload."""

    id: str
    """Upload id."""
    bucket: int
    """Database id of the bucket."""
    key: str
    """Key of the object that the upload creates."""
    initiated: float
    """Time of the creation, in seconds since 1970."""
    owner: str
    """GUID of the instance that created the upload."""
    headers: dict[str, str]
    """Response headers and tags of the resulting object."""
    metadata: dict[str, str]
    """User metadata of the resulting object."""
    acl: str = "private"
    """Canned ACL of the resulting object."""
    customer_md5: str | None = None
    """MD5 of the customer key (SSE-C); None without one."""
    checksum_algorithm: str | None = None
    """Algorithm announced at the creation, in capitals; None without one."""
    checksum_type: str | None = None
    """`COMPOSITE` or `FULL_OBJECT`; None without an algorithm."""
    lock: dict[str, Any] | None = None
    """Object Lock of the resulting version, from the headers of the creation."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of an upload."""

    number: int
    """Part number, from 1."""
    etag: str
    """ETag without quotes."""
    size: int
    """Size in bytes."""
    modified: float
    """Time of the write, in seconds since 1970."""
    sums: dict[str, str]
    """Checksums in base64, by algorithm."""
    segments: tuple[Segment, ...]
    """The byte ranges that make up the part."""


_JSON = frozenset({"headers", "metadata", "sums", "segments", "parts", "retention", "lock", "archive", "part_sums", "settings"})


def _columns(cls: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


BUCKET_COLUMNS = ", ".join(_columns(BucketRow))
OBJECT_COLUMNS = ", ".join(_columns(ObjectRow))
UPLOAD_COLUMNS = ", ".join(_columns(UploadRow))
PART_COLUMNS = ", ".join(_columns(PartRow))


def values_of(row: BucketRow | ObjectRow | UploadRow | PartRow) -> dict[str, Any]:
    """Return the columns of a row as SQLite parameters."""
    out: dict[str, Any] = {}
    for name in _columns(type(row)):
        value: Any = getattr(row, name)
        if name in _JSON and value is not None:
            value = json.dumps(value, separators=(",", ":"))
        elif isinstance(value, str) and name == "key":
            value = value.encode()
        out[name] = value
    return out


def _loads(text: str | None) -> Any:
    # Most of these columns are `{}`; a comparison is much cheaper than parsing JSON.
    return {} if text == "{}" else None if text is None else json.loads(text)


def _segments(text: str) -> tuple[Segment, ...]:
    return tuple(Segment(*s) for s in json.loads(text))


def bucket_of(row: sqlite3.Row | tuple[Any, ...]) -> BucketRow:
    """Build the value of a row of BUCKET_COLUMNS."""
    (id_, name, instance, created, location, acl, kp_root_key_crn, versioning, settings) = row
    return BucketRow(id_, name, instance, created, location, acl, kp_root_key_crn, versioning, _loads(settings))


def object_of(row: sqlite3.Row | tuple[Any, ...]) -> ObjectRow:
    """Build the value of a row of OBJECT_COLUMNS."""
    (
        key,
        etag,
        size,
        modified,
        owner,
        headers,
        metadata,
        sums,
        segments,
        parts,
        acl,
        customer,
        retention,
        lock,
        archive,
        part_sums,
        version,
        latest,
        marker,
        serial,
    ) = row
    return ObjectRow(
        bytes(key).decode(),
        etag,
        size,
        modified,
        owner,
        _loads(headers),
        _loads(metadata),
        _loads(sums),
        _segments(segments),
        None if parts is None else tuple(json.loads(parts)),
        acl,
        customer,
        _loads(retention),
        _loads(lock),
        _loads(archive),
        None if part_sums is None else tuple(json.loads(part_sums)),
        version,
        bool(latest),
        bool(marker),
        serial,
    )


def upload_of(row: sqlite3.Row | tuple[Any, ...]) -> UploadRow:
    """Build the value of a row of UPLOAD_COLUMNS."""
    (id_, bucket, key, initiated, owner, headers, metadata, acl, customer, algorithm, kind, lock) = row
    return UploadRow(
        id_,
        bucket,
        bytes(key).decode(),
        initiated,
        owner,
        _loads(headers),
        _loads(metadata),
        acl,
        customer,
        algorithm,
        kind,
        _loads(lock),
    )


def part_of(row: sqlite3.Row | tuple[Any, ...]) -> PartRow:
    """Build the value of a row of PART_COLUMNS."""
    number, etag, size, modified, sums, segments = row
    return PartRow(number, etag, size, modified, _loads(sums), _segments(segments))
