"""One emulator with two like worlds in it, one for IBM's SDK and one for the face; and answers in a form that compares."""

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

# The buckets of a world begin with these; `w-` stands for both.
THEIRS, OURS = "x-", "y-"
_NAMES = re.compile(r"\bw-(?=[a-z]|$)")


def renamed(value: Any, to: str) -> Any:
    """The same with the buckets of a world."""
    if isinstance(value, str):
        return _NAMES.sub(to, value)
    if isinstance(value, Mapping):
        return {name: renamed(inner, to) for name, inner in value.items()}
    return [renamed(inner, to) for inner in value] if isinstance(value, list) else value


# Members whose values are made anew for every call; that they are there, and of which type, is compared.
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
    """An answer without what is new in every call, and with the names of no world."""
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
    """The SDK, with every bucket of the cases in one world."""

    def __init__(self, sdk: Any, world: str) -> None:
        self._sdk = sdk
        self._world = world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._sdk, name)
        return lambda **arguments: method(**renamed(arguments, self._world))


class Worlds:
    """Both clients, and what was built for them."""

    def __init__(self, emulator: Emulator, sdk: Any, face: S3Client, ids: dict[str, dict[str, str]]) -> None:
        self.emulator = emulator
        self.sdk = sdk
        self.face = face
        self._ids = ids

    def arguments(self, value: Any, world: str) -> Any:
        """The arguments of a case in a world: its buckets, and the ids that the service gave there."""
        if isinstance(value, Mapping):
            return {name: self.arguments(inner, world) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.arguments(inner, world) for inner in value]
        if isinstance(value, str) and re.fullmatch(r"{\w+}", value):
            return self._ids[world][value[1:-1]]
        return renamed(value, world)

    async def theirs(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call through IBM's SDK."""
        call = getattr(self.sdk, method)

        def work() -> Any:
            answer = call(**self.arguments(arguments, THEIRS))
            return {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer

        return comparable(await asyncio.to_thread(work))

    async def ours(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call through the face."""
        answer = await getattr(self.face, method)(**self.arguments(arguments, OURS))
        if "Body" in answer:
            answer["Body"] = await answer["Body"].read()
        return comparable(answer)


def face_of(emulator: Emulator, config: Config | None = None) -> S3Client:
    """The face, with the emulator's API key."""
    return ibm_boto3.client(
        "s3",
        ibm_api_key_id=emulator.api_key,
        ibm_service_instance_id=emulator.service_instance_id,
        ibm_auth_endpoint=emulator.iam_endpoint,
        endpoint_url=emulator.endpoint,
        config=config or Config(signature_version="oauth", retries={"max_attempts": 0}),
    )


async def worlds(emulator: Emulator, sdk: Any) -> Worlds:
    """Build both worlds, by the SDK."""
    ids = {world: await asyncio.to_thread(build, Renaming(sdk, world)) for world in (THEIRS, OURS)}
    return Worlds(emulator, sdk, face_of(emulator), ids)


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """What differs between two answers, place by place."""
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
    """An error as it compares."""
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
