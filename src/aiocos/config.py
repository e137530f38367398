"""Settings that never change while a client lives, each with its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aiocos.errors import ConfigError

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

# Limits of the service (https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects).
MIN_PART = 5 * MIB
MAX_PART = 5 * GIB
MAX_PARTS = 10_000
MAX_OBJECT = 10 * TIB
MAX_PUT = 5 * GIB
MAX_KEYS = 1_000


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """When a failed attempt is made again.

    A request that was not sent is tried again whatever it does; one that was sent and not answered only if a second time does
    no harm. Waits grow as `base * 2**n`, drawn at random below that, never above `cap`; a `Retry-After` is honoured.
    """

    attempts: int = 5
    base: float = 0.1
    cap: float = 20.0
    # A retry costs `retry_cost` of `budget` and a first-time success gives back `refund`: in an outage a client soon sends
    # little more than its callers' first attempts, instead of five times as much.
    budget: float = 500.0
    retry_cost: float = 5.0
    refund: float = 1.0


@dataclass(frozen=True, slots=True)
class ConcurrencyConfig:
    """How the number of requests in flight follows what the service takes; see `aiocos.net.limiter`."""

    # Requests in flight before anything is known. A crowd that is too large costs a refusal each; the width doubles in a round
    # trip, so a healthy service is at 256 after three.
    initial: int = 32

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise ConfigError("pace.initial is at least 1")


@dataclass(frozen=True, slots=True)
class HedgeConfig:
    """When a GET or HEAD that takes long is sent a second time; the answer that begins first is used.

    It shortens the slowest answers of a service whose slowness is one server's, at the price of a few more requests.
    """

    # The share of answers that are waited for without a second request: above it are the slow ones.
    quantile: float = 0.95
    # No second request before so many seconds.
    min_delay: float = 0.05
    # Second requests, as a share of all: a service that is slow as a whole is not asked twice for everything.
    max_fraction: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1 or not 0 < self.max_fraction <= 1 or self.min_delay < 0:
            raise ConfigError("hedge: quantile is between 0 and 1, share above 0 and at most 1, least not below 0")


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """How objects are cut into parts, and how much of them is in memory at once."""

    # 8 MiB is far above the 5 MiB minimum and small enough that eight of them in flight fit the budget of one stream.
    part_size: int = 8 * MIB
    # Below this one PUT is cheaper than three calls.
    multipart_threshold: int = 16 * MIB
    # Parts of one transfer in flight when the source can be read anywhere (a file, bytes) …
    concurrency: int = 8
    # … and when it must be read in order: the reader is the limit, and 5 parts of 8 MiB stay under 64 MiB.
    stream_concurrency: int = 4
    # All transfers of a client together.
    max_memory: int = 128 * MIB
    # Up to here a copy within the service is one CopyObject, whose limit this is; above it, UploadPartCopy by parts.
    copy_threshold: int = MAX_PUT
    # No byte of a copied part comes here: it is as large as a retry should have to repeat at most.
    copy_part_size: int = 512 * MIB
    # How long an abort or another clean-up may take after a cancel (seconds).
    cleanup_timeout: float = 10.0
    # Where uploads that may be resumed keep their journals; None is the user's directory for state (~/.local/state/aiocos).
    state_dir: str | None = None
    # Off: the system writes files within half a minute, and a flush of each costs more than a small download.
    fsync: bool = False
    """Flush a downloaded file to the disk before it takes its name, and its directory after that, before `download` returns.
    A machine that loses its power then has the file. False leaves it to the system; `DownloadRequest.fsync` decides for one download.
    """

    def __post_init__(self) -> None:
        if self.part_size < MIN_PART or self.part_size > MAX_PART:
            raise ConfigError(f"part_size is {self.part_size} bytes; the service takes parts of {MIN_PART} to {MAX_PART} bytes")
        if self.copy_part_size < MIN_PART or self.copy_part_size > MAX_PART:
            raise ConfigError(
                f"copy_part_size is {self.copy_part_size} bytes; the service takes {MIN_PART} to {MAX_PART} bytes"
            )
        if not 0 <= self.copy_threshold <= MAX_PUT:
            raise ConfigError(f"copy_threshold is {self.copy_threshold} bytes; the service copies up to {MAX_PUT} in one piece")
        if self.concurrency < 1 or self.stream_concurrency < 1:
            raise ConfigError("concurrency and stream_concurrency are at least 1")
        if self.max_memory < self.part_size:
            raise ConfigError(f"memory ({self.max_memory} bytes) must hold at least one part ({self.part_size} bytes)")


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Everything about a client but where it connects and as whom."""

    # Seconds to a connection with TLS; a host that is down should not take a minute to be noticed.
    connect_timeout: float = 10.0
    # Seconds without a byte in either direction. Not a limit for the whole request: a slow uplink is no error.
    idle_timeout: float = 60.0
    # Requests of one client in flight at most; more wait their turn without holding a socket.
    max_connections: int = 256
    # How many there are below that, by what the service takes; None for always as many as may be.
    concurrency: ConcurrencyConfig | None = field(default_factory=ConcurrencyConfig)
    # Second requests for reads that take long; None for none.
    hedge: HedgeConfig | None = None
    retry: RetryConfig = field(default_factory=RetryConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    # "path" puts the bucket in the path, "virtual" in the host name (a bucket with a dot falls back to the path).
    addressing: Literal["path", "virtual"] = "path"
    # The scope of HMAC signatures; the service takes any.
    region: str = "us-east-1"
    # The integrity header of object bodies. Every server of this protocol checks Content-MD5 where it checks anything.
    checksum: Literal["md5", "crc32", "sha256"] = "md5"
    # False turns certificate checks off, and warns.
    verify_tls: bool = True
    # Requests by aiohttp's connections alone, where the installed aiohttp has been tried out (see `aiocos.net.raw_backend`); False
    # sends all of them by its session.
    fast_path: bool = True
    # A file of certificates to trust instead of the system's.
    ca_file: str | None = None
    # Compare what is read with the object's ETag where that is an MD5, and with checksum headers where there are any.
    verify_reads: bool = True
    verify_writes: bool = True
    """Compare the service's answer to a write (the ETag, and checksums that it repeats) with the bytes that were sent.

    `IntegrityError` where they differ. Not compared are ETags that are known to be no MD5s: under a customer's key (SSE-C) or a
    key of a key service, and in buckets under Key Protect, which are asked. False is for a service whose ETags look like MD5s
    and are none, and that does not say so.
    """
    # Put before the library's own name in the User-Agent header.
    user_agent: str = ""

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "idle_timeout"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is in seconds and above 0")
        if not self.user_agent.isprintable() or not self.user_agent.isascii():
            raise ConfigError("user_agent is printable ASCII: it is sent as a header")
        if self.max_connections < 1:
            raise ConfigError("max_connections is at least 1")
        if self.retry.attempts < 1:
            raise ConfigError("retry.attempts counts the first try too: at least 1")

    @classmethod
    def for_older_services(cls) -> ClientConfig:
        """Return settings for on-premise services of the first generations; `dataclasses.replace` changes more.

        Bodies go with `Content-MD5` and no other checksum, which services of all ages check or ignore; ETags are compared where
        a body was sent, and not where one is read; buckets stand in the path.
        """
        return cls(checksum="md5", verify_reads=False, addressing="path")
