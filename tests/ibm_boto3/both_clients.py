"""Two equal sets of buckets on one emulator, for IBM's SDK and for this library; and comparable forms of responses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.parity.test_every_operation import build

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import Config, S3Client

# Prefixes of the buckets of the SDK and of this library; `w-` in a case stands for both.
THEIRS, OURS = "x-", "y-"
_NAMES = re.compile(r"\bw-(?=[a-z]|$)")


def renamed(value: Any, to: str) -> Any:
    """Return a value with the bucket names of one side."""
    if isinstance(value, str):
        return _NAMES.sub(to, value)
    if isinstance(value, Mapping):
        return {name: renamed(inner, to) for name, inner in value.items()}
    return [renamed(inner, to) for inner in value] if isinstance(value, list) else value


# Members whose values differ in every call: only their types are compared.
VOLATILE = {"RequestId", "HostId", "VersionId", "UploadId", "CopySourceVersionId", "NextUploadIdMarker", "Id", "Secret"}
VOLATILE_HEADERS = {
    "content-length",
    "date",
    "last-modified",
    "retention-expiration-date",
    "x-amz-copy-source-version-id",
    "x-amz-date",
    "x-amz-id-2",
    "x-amz-object-lock-retain-until-date",
    "x-amz-request-id",
    "x-amz-version-id",
    "x-clv-request-id",
}


def comparable(value: Any, name: str = "") -> Any:
    """Return a response without the values that differ in every call, and with neutral bucket names."""
    if name == "HTTPHeaders":
        return {n: "…" if n in VOLATILE_HEADERS else comparable(v) for n, v in value.items()}
    if isinstance(value, datetime):
        return "a time with a zone" if value.tzinfo else "a time"
    if name in VOLATILE:
        return type(value).__name__
    if isinstance(value, Mapping):
        return {n: comparable(v, n) for n, v in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(v) for v in value]
    return re.sub(rf"\b({THEIRS}|{OURS})(?=[a-z]|$)", "w-", value) if isinstance(value, str) else value


class Renaming:
    """The SDK, with the bucket names of one side."""

    def __init__(self, sdk: Any, side: str) -> None:
        self._sdk = sdk
        self._side = side

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._sdk, name)
        return lambda **arguments: method(**renamed(arguments, self._side))


class BothClients:
    """Both clients, and the buckets that were made for them."""

    def __init__(self, emulator: Emulator, sdk: Any, client: S3Client, ids: dict[str, dict[str, str]]) -> None:
        self.emulator = emulator
        self.sdk = sdk
        self.client = client
        self._ids = ids

    def arguments(self, value: Any, side: str) -> Any:
        """Return the arguments of a case for one side: its buckets, and its upload and version ids."""
        if isinstance(value, Mapping):
            return {name: self.arguments(inner, side) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.arguments(inner, side) for inner in value]
        if isinstance(value, str) and re.fullmatch(r"{\w+}", value):
            return self._ids[side][value[1:-1]]
        return renamed(value, side)

    async def call_sdk(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Return the comparable response of IBM's SDK."""
        call = getattr(self.sdk, method)

        def work() -> Any:
            response = call(**self.arguments(arguments, THEIRS))
            return {**response, "Body": response["Body"].read()} if "Body" in response else response

        return comparable(await asyncio.to_thread(work))

    async def call_client(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Return the comparable response of this library."""
        response = await getattr(self.client, method)(**self.arguments(arguments, OURS))
        if "Body" in response:
            response["Body"] = await response["Body"].read()
        return comparable(response)


def client_of(emulator: Emulator, config: Config | None = None) -> S3Client:
    """Return a client with the emulator's API key."""
    return ibm_boto3.client(
        "s3",
        ibm_api_key_id=emulator.api_key,
        ibm_service_instance_id=emulator.service_instance_id,
        ibm_auth_endpoint=emulator.iam_endpoint,
        endpoint_url=emulator.endpoint,
        config=config or Config(signature_version="oauth", retries={"max_attempts": 0}),
    )


async def build_both_clients(emulator: Emulator, sdk: Any) -> BothClients:
    """Make the buckets of both sides, with the SDK."""
    ids = {side: await asyncio.to_thread(build, Renaming(sdk, side)) for side in (THEIRS, OURS)}
    return BothClients(emulator, sdk, client_of(emulator), ids)


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Return the differences between two responses, with their places."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return [
            line
            for name in sorted({*ours, *theirs}, key=str)
            for line in differences(ours.get(name, "(nothing)"), theirs.get(name, "(nothing)"), f"{where}.{name}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [line for n, (a, b) in enumerate(zip(ours, theirs, strict=True)) for line in differences(a, b, f"{where}[{n}]")]
    return [] if ours == theirs else [f"{where}: ours {ours!r}, theirs {theirs!r}"]


def hmac_keys(emulator: Emulator) -> dict[str, Any]:
    return {
        "endpoint_url": emulator.endpoint,
        "aws_access_key_id": emulator.access_key_id,
        "aws_secret_access_key": emulator.secret_access_key,
        "region_name": "us-south",
    }


def comparable_error(error: Exception) -> dict[str, Any]:
    """Return an error in a comparable form."""
    response = getattr(error, "response", None)
    if response is None:
        lines = comparable(str(error)).splitlines()
        return {
            "class": type(error).__name__,
            # Names that would do are given in another order. What the SDK says of metadata is said here too, and more.
            "lines": {line.partition(", must be one of")[0] for line in lines if "percent, base64" not in line},
        }
    return {
        "class": type(error).__name__,
        # The SDK says so of errors that it would have tried again, also where it may not.
        "message": comparable(str(error)).replace(" (reached max retries: 0)", ""),
        "code": response["Error"]["Code"],
        "status": response["ResponseMetadata"]["HTTPStatusCode"],
        "operation": getattr(error, "operation_name", None),
    }


def case_ids(cases: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{method}-{n}" for n, (method, _) in enumerate(cases)]
