"""The groups of measurements that the page on performance shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

SMALL = ["get-64", "put-64", "head-64", "open-64"]
WIDE = ["get-256", "put-256", "head-256"]
LATENCY = ["latency-get", "latency-put", "latency-head"]
LARGE = ["upload", "download-crc64"]
OTHER_LARGE = ["download-crc32", "download-etag", "memory", "stream"]
READS = ["read-crc64", "read-crc32", "read-md5"]
FILES = ["many-up", "many-down"]
START = ["start", "first"]
COMMANDS = ["cli-version", "cli-ls"]
STALLS = ["stall-upload", "stall-download-crc64", "stall-read-crc64", "stall-read-md5"]
BUSY = ["busy-idle", "busy"]
WORKLOADS = [
    "checks",
    *SMALL,
    *WIDE,
    "list",
    *LATENCY,
    *LARGE,
    *OTHER_LARGE,
    *READS,
    *FILES,
    *START,
    *COMMANDS,
    *STALLS,
    *BUSY,
]


@dataclass(frozen=True)
class Suite:
    """Clients and workloads that are measured together, so that their ratios are within one run."""

    title: str
    clients: list[str]
    workloads: list[str]
    rounds: int
    count: int = 3000
    """Small calls in a measurement; a fifth of them for slow clients."""
    files: int = 5000
    """Files of the directory; a fifth of them for slow clients that upload."""
    mib: int = 64
    """MiB of the large object."""
    tls: bool = False
    uvloop: bool = False

    def quick(self) -> Suite:
        """Return the same rows at small sizes: to see that they run, not to measure."""
        return replace(self, rounds=1, count=500, files=500, mib=min(self.mib, 64))


_PEERS = ["obstore", "obstore-unsigned", "aiobotocore", "aiobotocore-unsigned"]
_OTHERS = ["ibm_boto3-16", "miniopy-async", "s3fs"]
_OURS = ["aiocos", "aiocos-nofast", "aiocos-hmac"]
_VARIANTS = ["aiocos-session", "aiocos-md5", "aiocos-crc32", "aiocos-unverified"]
_STARTS = ["aiohttp", "aiohttp+pydantic", "aiocos", "aiocos-nofast"]

SUITES: dict[str, Suite] = {
    "checks": Suite(
        "What each client checks",
        ["aiohttp", *_OURS, *_VARIANTS, "aiocos.ibm_boto3", *_PEERS, "obstore-threads", *_OTHERS],
        ["checks"],
        rounds=1,
    ),
    "small": Suite(
        "Small calls and listings",
        ["aiohttp", "aiohttp-tuned", *_OURS, "aiocos-session", "aiocos.ibm_boto3", *_PEERS, *_OTHERS],
        [*SMALL, "list"],
        rounds=5,
    ),
    "wide": Suite(
        "Small calls and their floor",
        ["aiohttp", "aiohttp-tuned", "aiohttp-floor", "aiocos", "obstore"],
        [*SMALL[:3], *WIDE],
        rounds=3,
    ),
    "latency": Suite(
        "One call at a time",
        ["aiohttp", "aiocos", "aiocos-hmac", "aiocos.ibm_boto3", "obstore", "aiobotocore"],
        LATENCY,
        rounds=5,
        count=2000,
    ),
    "start": Suite(
        "Startup",
        [*_STARTS, "aiocos.ibm_boto3", "obstore", "aiobotocore", "ibm_boto3-16"],
        START,
        rounds=5,
    ),
    "commands": Suite(
        "The command line", ["python", "aiohttp", "aiohttp+pydantic", "aiocos", "aiocos-nofast"], COMMANDS, rounds=3
    ),
    "large": Suite(
        "Large objects",
        ["aiohttp", "aiocos", "aiocos-nofast", "aiocos-md5", *_PEERS, "ibm_boto3-16"],
        LARGE,
        rounds=5,
        mib=1024,
    ),
    "other": Suite(
        "Large objects with other checksums and from other sources",
        ["aiohttp", "aiocos", "aiocos-nofast", *_PEERS[:3]],
        OTHER_LARGE,
        rounds=3,
        mib=512,
    ),
    "read": Suite(
        "Streaming an object of 64 MiB",
        ["aiohttp", *_OURS[:2], "aiocos-unverified", "aiocos.ibm_boto3", "obstore", *_PEERS[2:], "hashlib-md5"],
        READS,
        rounds=5,
    ),
    "files": Suite(
        "5,000 files of 4 KiB",
        ["aiohttp", *_OURS, *_PEERS, "obstore-threads"],
        FILES,
        rounds=5,
    ),
    "stall": Suite(
        "The longest block of the event loop", ["aiohttp", "aiocos", "aiocos-nofast", "obstore"], STALLS, rounds=3, mib=256
    ),
    "busy": Suite(
        "Small calls during large uploads",
        ["aiohttp", "aiocos", "aiocos-nofast", "obstore"],
        BUSY,
        rounds=2,
        count=500,
        mib=128,
    ),
    "tls": Suite(
        "With TLS",
        ["aiohttp", "aiocos", "aiocos-hmac", *_PEERS],
        [*SMALL[:3], "upload", "download-crc64"],
        rounds=3,
        count=3000,
        mib=256,
        tls=True,
    ),
    "uvloop": Suite(
        "With uvloop",
        ["aiohttp", "aiocos", "obstore"],
        [*SMALL[:3], "list", "upload", "download-crc64"],
        rounds=3,
        count=3000,
        mib=256,
        uvloop=True,
    ),
}
