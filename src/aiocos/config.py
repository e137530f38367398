"""Client settings, each with its default and the reason for it.

All classes here are frozen: a client's settings don't change while it lives. Use `dataclasses.replace` to derive others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from aiocos.describe import with_field_texts
from aiocos.errors import ConfigError

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

# Limits of the service (https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects).

MIN_PART = 5 * MIB
"""Smallest part of a multipart upload in bytes, except for the last part."""

MAX_PART = 5 * GIB
"""Largest part of a multipart upload in bytes."""

MAX_PARTS = 10_000
"""Largest number of parts of one multipart upload."""

MAX_OBJECT = 10 * TIB
"""Largest object in bytes. An object this large has to be uploaded in parts."""

MAX_PUT = 5 * GIB
"""Largest object in bytes that one PutObject or CopyObject request can write."""

MAX_KEYS = 1_000
"""Largest number of entries on a page of a listing, and of keys in one DeleteObjects request."""


ChecksumSetting: TypeAlias = Literal["auto", "crc32", "crc32c", "crc64nvme", "sha1", "sha256", "md5"]
"""Values of `ClientConfig.checksum`."""


@with_field_texts("Args")
@dataclass(frozen=True, slots=True)
class RetryConfig:
    """Retries of failed requests.

    A request that wasn't sent is always retried. A request that was sent but got no response is retried only if sending it
    twice does no harm. Before retry number `n` the client waits a random time between 0 and `min(cap, base * 2**n)` seconds,
    or as long as the `Retry-After` header of the response asks, if that is longer. If the header asks for more than five
    minutes, the call fails at once.
    """

    attempts: int = 5
    """Attempts of one call, the first one included. At least 1, which turns retries off; `ConfigError` otherwise."""

    base: float = 0.1
    """Seconds that the backoff starts with: the first retry waits at most `2 * base`, and each later retry up to twice as long.

    The first retry after a lost connection doesn't wait, because the server has often just closed an idle connection.
    """

    cap: float = 20.0
    """Longest backoff in seconds. It doesn't limit a `Retry-After` of the service."""

    budget: float = 500.0
    """Size of the client's retry budget, which all its calls share. A retry costs `retry_cost`, and if too little is left,
    the call fails with its last error instead.

    The default allows 100 retries in a row. In an outage the client soon sends little more than the first attempt of each
    call, and doesn't multiply the load by `attempts`.
    """

    retry_cost: float = 5.0
    """Cost of one retry, taken from `budget`."""

    refund: float = 1.0
    """Credit of each successful call to `budget`, up to its full size. With the defaults, five successes pay for a retry."""


@with_field_texts("Args")
@dataclass(frozen=True, slots=True)
class ConcurrencyConfig:
    """An adaptive limit on requests in flight.

    It shrinks when the service throttles and grows again when requests succeed; `aiocos.net.limiter` describes the rule.
    """

    initial: int = 32
    """Requests in flight that are allowed before the service has throttled anything. At least 1, `ConfigError` otherwise;
    values above `ClientConfig.max_connections` are capped at it.

    If 32 are too many, each excess request costs one throttled attempt. If they are too few, the limit doubles in each round
    trip, so it reaches 256 after three.
    """

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise ConfigError(f"ConcurrencyConfig.initial is {self.initial}; it must be at least 1")


@with_field_texts("Args")
@dataclass(frozen=True, slots=True)
class HedgeConfig:
    """Hedged reads: second requests for GETs and HEADs that take long.

    A read without a response after some time is sent again, and the first response wins. This shortens the slowest responses if
    they come from one slow server, at the price of a few more requests. Writes are never hedged, and nothing is hedged right
    after the service has throttled a request.
    """

    quantile: float = 0.95
    """Share of recent responses that set the delay: with 0.95, a request is hedged when it takes longer than 95 % of the last
    200 responses. Above 0 and below 1, `ConfigError` otherwise. Nothing is hedged before 20 responses have been measured.
    """

    min_delay: float = 0.05
    """Shortest delay in seconds before a request is hedged, however fast the recent responses were. 0 or more, `ConfigError`
    otherwise.
    """

    max_fraction: float = 0.05
    """Most hedged requests, as a fraction of all GET and HEAD requests: 0.05 allows one in 20, and at most 10 in a row. Above 0
    and up to 1, `ConfigError` otherwise.

    The limit keeps the client from doubling the load on a service that is slow as a whole.
    """

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1 or not 0 < self.max_fraction <= 1 or self.min_delay < 0:
            raise ConfigError(
                f"HedgeConfig: quantile ({self.quantile}) must be between 0 and 1, max_fraction ({self.max_fraction}) above 0 "
                f"and at most 1, min_delay ({self.min_delay}) 0 or more"
            )


Verify = Literal["flow", "disk", "none"]
"""How downloads are compared with a checksum; see `TransferConfig.verify`."""


@with_field_texts("Args")
@dataclass(frozen=True, slots=True)
class TransferConfig:
    """Defaults for uploads, downloads and copies: part sizes, concurrency and memory.

    IBM's limits: https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
    """

    part_size: int = 8 * MIB
    """Bytes of one part of an upload or one range of a download. 5 MiB to 5 GiB, `ConfigError` otherwise.

    Parts are larger if an object needs more than 10,000 of them. The default is well above IBM's minimum, and eight such parts
    fit into half of `max_memory`. `part_size=` of a transfer overrides it.
    """

    multipart_threshold: int = 16 * MIB
    """Objects of this many bytes or more are uploaded in parts, smaller ones with one PUT, which is cheaper than the three or
    more calls of a multipart upload. Objects larger than this are downloaded in ranges. A value below `part_size` counts as
    `part_size`. `multipart_threshold=` of a transfer overrides it.
    """

    concurrency: int = 8
    """Parts in flight for one transfer, if the source can be read at any offset (a file, bytes), for downloads and for copies.
    At least 1, `ConfigError` otherwise. `concurrency=` of a transfer overrides it.
    """

    stream_concurrency: int = 4
    """Parts in flight for one upload whose source has to be read in order (an iterator, a pipe). At least 1, `ConfigError`
    otherwise.

    Such an upload can't go faster than its source. The default keeps it within 64 MiB of memory: four parts in flight and the
    one being read. `concurrency=` of an upload overrides it.
    """

    max_memory: int = 128 * MIB
    """Bytes that all transfers of a client may hold in memory together, per event loop. At least `part_size`, `ConfigError`
    otherwise. A part that doesn't fit waits until others are done.
    """

    copy_threshold: int = MAX_PUT
    """Objects of up to this many bytes are copied with one CopyObject request, larger ones in parts. 0 to 5 GiB, the most that
    CopyObject accepts; `ConfigError` otherwise. `copy_threshold=` of a copy overrides it.
    """

    copy_part_size: int = 512 * MIB
    """Bytes of one part of a copy. 5 MiB to 5 GiB, `ConfigError` otherwise.

    The service copies the part itself, so it takes no memory here. The part is as large as one retry should have to repeat.
    `part_size=` of a copy overrides it.
    """

    cleanup_timeout: float = 10.0
    """Seconds that the cleanup of a failed or canceled transfer may take, such as aborting its multipart upload. After that
    the upload stays open and is listed in `client.failed_aborts`.
    """

    state_dir: str | None = None
    """Directory for the journals of uploads with `resume=True`. None uses `aiocos` in the user's state directory:
    `$XDG_STATE_HOME` or `~/.local/state`, and `%LOCALAPPDATA%` on Windows.
    """

    fsync: bool = False
    """Flush each downloaded file to disk before it gets its name, and then its directory, before `download` returns. The file
    then survives a power failure.

    False leaves that to the operating system, which usually writes files within half a minute; a flush of each file costs more
    than a small download. `fsync=` of a download overrides it.
    """

    verify: Verify = "flow"
    """How downloads are compared with the checksum of the object; `IntegrityError` if they differ. Another value raises
    `ConfigError`.

    `"flow"` compares the bytes that arrived, before they are written where the checksum permits: CRCs of ranges are combined,
    and ranges follow the parts of a multipart object. Other hashes of an object in ranges are computed from the file, in order.
    `"disk"` always reads the file back, which takes about a third more processor time, and finds bytes that the system wrote
    wrongly as well. `"none"` compares nothing, except downloads that continue an earlier run. A file object cannot be read
    back: `"disk"` is like `"flow"` there. `verify=` of a download overrides it, and `ClientConfig.verify_reads=False` makes it
    `"none"`.
    """

    def __post_init__(self) -> None:
        if self.verify not in ("flow", "disk", "none"):
            raise ConfigError(f"verify is {self.verify!r}; it must be 'flow', 'disk' or 'none'")
        if self.part_size < MIN_PART or self.part_size > MAX_PART:
            raise ConfigError(f"part_size is {self.part_size} bytes; the service takes parts of {MIN_PART} to {MAX_PART} bytes")
        if self.copy_part_size < MIN_PART or self.copy_part_size > MAX_PART:
            raise ConfigError(
                f"copy_part_size is {self.copy_part_size} bytes; the service takes {MIN_PART} to {MAX_PART} bytes"
            )
        if not 0 <= self.copy_threshold <= MAX_PUT:
            raise ConfigError(f"copy_threshold is {self.copy_threshold} bytes; the service copies up to {MAX_PUT} in one piece")
        if self.concurrency < 1 or self.stream_concurrency < 1:
            raise ConfigError(
                f"concurrency ({self.concurrency}) and stream_concurrency ({self.stream_concurrency}) must be at least 1"
            )
        if self.max_memory < self.part_size:
            raise ConfigError(f"max_memory ({self.max_memory} bytes) must hold at least one part ({self.part_size} bytes)")


@with_field_texts("Args")
@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Client settings other than the endpoint and the credentials."""

    connect_timeout: float = 10.0
    """Seconds to open a connection, the TLS handshake included, after which a request fails with `RequestTimeoutError`. Above
    0, `ConfigError` otherwise. The default is short, so that a host that is down is noticed soon.
    """

    idle_timeout: float = 60.0
    """Seconds without a byte in either direction after which a request fails with `RequestTimeoutError`. Above 0, `ConfigError`
    otherwise. A transfer that is slow but moving never fails; `timeout=` of a call limits its total time.
    """

    max_connections: int = 256
    """Most requests of the client in flight at once, per event loop. At least 1, `ConfigError` otherwise. Further requests wait
    in a queue without holding a connection.
    """

    concurrency: ConcurrencyConfig | None = field(default_factory=ConcurrencyConfig)
    """Adaptive limit below `max_connections`, which follows what the service accepts. None always allows `max_connections`."""

    hedge: HedgeConfig | None = None
    """Second requests for slow reads. None, the default, never sends any."""

    retry: RetryConfig = field(default_factory=RetryConfig)
    """Number of attempts, backoff and retry budget."""

    transfer: TransferConfig = field(default_factory=TransferConfig)
    """Part sizes, concurrency and memory of uploads, downloads and copies."""

    addressing: Literal["path", "virtual"] = "path"
    """Place of the bucket in a URL: `"path"` is `https://{endpoint}/{bucket}/{key}`, `"virtual"` is
    `https://{bucket}.{endpoint}/{key}`. A bucket whose name has a dot is always put into the path: the certificate of the
    service would not match its host name.
    """

    region: str = "us-east-1"
    """Region in the scope of HMAC signatures. The service accepts any. It doesn't choose the endpoint: `region=` of the client
    does.
    """

    checksum: ChecksumSetting = "auto"
    """Checksum that the client adds to the body of an object or part if the call gives none. The service refuses a body that
    doesn't match it with `BadDigest`, and returns the checksum in its response.

    `"auto"`: CRC64NVME with the native implementation of `pip install 'aiocos[fast]'`, else CRC32. If a service doesn't return
    the checksum, or refuses it, the client sends `Content-MD5` from then on and logs that once. `"md5"`: always `Content-MD5`,
    which services of all ages check. The others are sent as `x-amz-checksum-…`, whatever the service does with them; `"crc32c"`
    and `"crc64nvme"` are slow (some 50 MB/s) without `aiocos[fast]`. `"sha1"` and `"sha256"` cover an object made of parts only
    part by part. `ConfigError` for any other value.
    """

    verify_tls: bool = True
    """Check the certificates of the service and of IAM. False accepts any certificate and issues a warning, because whoever
    controls the network can then read and change everything.
    """

    fast_path: bool = True
    """Send requests over aiohttp's connections without its session layer, which is faster. Used only if the installed aiohttp
    passes a compatibility check, and neither for requests through a proxy nor with a session of your own.

    False sends all requests through the session, with the same results.
    """

    ca_file: str | None = None
    """Path of a PEM file with certificate authorities to trust instead of the system's. None trusts the system's."""

    verify_reads: bool = True
    """Compare reads and downloads of whole objects with a checksum that the service reports; `IntegrityError` if they differ.

    The cheapest one is used: a CRC64NVME, CRC32C or CRC32 for which there is a native implementation, SHA-1, SHA-256, or the
    ETag if it is an MD5 or can be computed from the parts. A CRC that has to be computed in Python is the last choice, for
    objects up to 16 MiB; `pip install 'aiocos[fast]'` has native ones. False skips the comparison, as `verify_reads=` of a read
    and `verify=` of a download do for one call.
    """

    verify_writes: bool = True
    """Compare the ETag and the checksums in the response to a write with the bytes that were sent; `IntegrityError` if they
    differ.

    ETags that are no MD5 are not compared: those of objects under a customer key (SSE-C) or a key of a key service, and in
    buckets under Key Protect, which the client looks up. Use False for a service whose ETags look like MD5s and
    are something else, and whose responses don't show that.
    """

    user_agent: str = ""
    """Text to put before the library's own name in the `User-Agent` header. Printable ASCII, `ConfigError` otherwise."""

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "idle_timeout"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)} seconds; it must be above 0")
        if not self.user_agent.isprintable() or not self.user_agent.isascii():
            raise ConfigError("user_agent must be printable ASCII, because it is sent as a header")
        if self.checksum not in get_args(ChecksumSetting):
            raise ConfigError(f"checksum is {self.checksum!r}; it must be one of {', '.join(get_args(ChecksumSetting))}")
        if self.max_connections < 1:
            raise ConfigError(f"max_connections is {self.max_connections}; it must be at least 1")
        if self.retry.attempts < 1:
            raise ConfigError(f"retry.attempts is {self.retry.attempts}; it counts the first attempt and must be at least 1")

    @classmethod
    def for_older_services(cls) -> ClientConfig:
        """Return settings for early generations of the on-premises product.

        Bodies are sent with `Content-MD5` and no other checksum, which services of all ages check or ignore. Writes are
        verified, reads are not. The bucket is put into the path of URLs. Use `dataclasses.replace` to change more.
        """
        return cls(checksum="md5", verify_reads=False, addressing="path")
