"""What the store holds, as values: instances, buckets, objects, uploads, parts."""

import json
import sqlite3
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

Role = Literal["Reader", "Writer", "Manager"]
"""What a user may do with an instance; each role may do what those before it may."""


class Segment(NamedTuple):
    """A stretch of a blob. An object's content is its segments, one after the other."""

    blob: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A service instance with its credentials. It owns buckets."""

    crn: str
    guid: str
    api_key: str
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Instance({self.crn!r})"


@dataclass(frozen=True, slots=True)
class Key:
    """Credentials of a user of an instance, an API key and an HMAC pair, with the role that the user has."""

    instance: Instance
    role: Role
    api_key: str
    access_key_id: str
    secret_access_key: str

    @classmethod
    def of_manager(cls, instance: Instance) -> "Key":
        """The credentials that an instance is made with."""
        return cls(instance, "Manager", instance.api_key, instance.access_key_id, instance.secret_access_key)

    def __repr__(self) -> str:
        return f"Key({self.role} of {self.instance.crn!r})"


@dataclass(frozen=True, slots=True)
class Profile:
    """A trusted profile of an account, and the token by which a compute resource may take it on."""

    id: str
    crn: str
    name: str
    account: str
    compute_token: str = field(repr=False)
    key: Key  # whose rights its tokens have


@dataclass(frozen=True, slots=True)
class BucketRow:
    """A bucket. `versioning` is None where it was never set.

    `settings` holds its other configurations: the XML of each by the name of its sub-resource (`website`, `object-lock` …).
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
    """One version of an object. `headers` and `sums` are by the field names of the operations' results."""

    key: str
    etag: str  # without quotes
    size: int
    modified: float
    owner: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    sums: dict[str, str] = field(default_factory=dict[str, str])
    segments: tuple[Segment, ...] = ()
    parts: tuple[int, ...] | None = None  # sizes of the parts it was uploaded in
    acl: str = "private"
    customer_md5: str | None = None
    retention: dict[str, Any] | None = None  # of a retention policy (IBM): period and holds
    lock: dict[str, Any] | None = None  # of Object Lock: mode, until, hold
    archive: dict[str, Any] | None = None  # class and date of the archive, and what is restored of it
    version_id: str = "null"
    is_latest: bool = True
    delete_marker: bool = False
    serial: int = 0

    def copy(self, **changes: Any) -> "ObjectRow":
        """The same with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A multipart upload that was begun."""

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
    """The columns of a value, ready for SQLite."""
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
    # Most of these columns are empty; comparing is much cheaper than parsing.
    return {} if text == "{}" else None if text is None else json.loads(text)


def _segments(text: str) -> tuple[Segment, ...]:
    return tuple(Segment(*s) for s in json.loads(text))


def bucket_of(row: sqlite3.Row | tuple[Any, ...]) -> BucketRow:
    """Read a row of BUCKET_COLUMNS."""
    (id_, name, instance, created, location, acl, kp_root_key_crn, versioning, settings) = row
    return BucketRow(id_, name, instance, created, location, acl, kp_root_key_crn, versioning, _loads(settings))


def object_of(row: sqlite3.Row | tuple[Any, ...]) -> ObjectRow:
    """Read a row of OBJECT_COLUMNS."""
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
    """Read a row of UPLOAD_COLUMNS."""
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
    """Read a row of PART_COLUMNS."""
    number, etag, size, modified, sums, segments = row
    return PartRow(number, etag, size, modified, _loads(sums), _segments(segments))
