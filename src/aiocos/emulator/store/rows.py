"""The rows of the store as values: instances, credentials, buckets, objects, uploads, parts."""

import json
import sqlite3
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

Role = Literal["Reader", "Writer", "Manager"]
"""A user's role in an instance. Each role includes the rights of the roles before it."""


class Segment(NamedTuple):
    """A byte range of a blob. An object's content is the concatenation of its segments."""

    blob: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A service instance and its manager's credentials. Instances own buckets."""

    crn: str
    guid: str
    api_key: str
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Instance({self.crn!r})"


@dataclass(frozen=True, slots=True)
class Key:
    """Credentials of a user of an instance: an API key, an HMAC pair, and the user's role."""

    instance: Instance
    role: Role
    api_key: str
    access_key_id: str
    secret_access_key: str

    @classmethod
    def of_manager(cls, instance: Instance) -> "Key":
        """Return the credentials that an instance was created with."""
        return cls(instance, "Manager", instance.api_key, instance.access_key_id, instance.secret_access_key)

    def __repr__(self) -> str:
        return f"Key({self.role} of {self.instance.crn!r})"


@dataclass(frozen=True, slots=True)
class Profile:
    """A trusted profile of an account, and the token with which a compute resource may assume it."""

    id: str
    crn: str
    name: str
    account: str
    compute_token: str = field(repr=False)
    key: Key  # its role applies to tokens of the profile


@dataclass(frozen=True, slots=True)
class BucketRow:
    """A bucket. `versioning` is None if it was never configured.

    `settings` has the bucket's other configurations as XML, by sub-resource (`website`, `object-lock` …).
    """

    id: int
    name: str
    instance: str
    created: float
    location: str
    acl: str
    kp_root_key_crn: str | None = None
    versioning: str | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One version of an object. The keys of `headers` and `sums` are field names of the operations' results."""

    key: str
    etag: str  # without quotes
    size: int
    modified: float
    owner: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    sums: dict[str, str] = field(default_factory=dict[str, str])
    segments: tuple[Segment, ...] = ()
    parts: tuple[int, ...] | None = None  # sizes of the parts of a multipart upload
    acl: str = "private"
    customer_md5: str | None = None
    retention: dict[str, Any] | None = None  # under a retention policy (IBM): period and legal holds
    lock: dict[str, Any] | None = None  # Object Lock: mode, retain-until date, legal hold
    archive: dict[str, Any] | None = None  # archive class, time of archiving, state of the restored copy
    version_id: str = "null"
    is_latest: bool = True
    delete_marker: bool = False
    serial: int = 0

    def copy(self, **changes: Any) -> "ObjectRow":
        """Return a copy with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An open multipart upload."""

    id: str
    bucket: int
    key: str
    initiated: float
    owner: str
    headers: dict[str, str]
    metadata: dict[str, str]
    acl: str = "private"
    customer_md5: str | None = None
    checksum_algorithm: str | None = None
    checksum_type: str | None = None
    lock: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of an upload."""

    number: int
    etag: str
    size: int
    modified: float
    sums: dict[str, str]
    segments: tuple[Segment, ...]


_JSON = frozenset({"headers", "metadata", "sums", "segments", "parts", "retention", "lock", "archive", "settings"})


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
