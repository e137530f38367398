"""Responses: members, times, settings that come back as they were written."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import ibm_botocore.session
import pytest
import pytest_asyncio
from tests.ibm_boto3.both_clients import OURS, BothClients, renamed
from tests.parity.test_every_operation import PLAIN

from aiocos import ibm_boto3
from aiocos.ibm_boto3 import UNSIGNED, Config, S3Client
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.s3.transfer import TransferConfig


async def test_expires_may_hold_any_text(client: S3Client, sdk: Any, bucket: str) -> None:
    when = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    await client.put_object(Bucket=bucket, Key="k", Expires=when)
    assert (await client.head_object(Bucket=bucket, Key="k"))["Expires"] == when
    assert (await asyncio.to_thread(sdk.head_object, Bucket=bucket, Key="k"))["Expires"] == when


MIB = 1024 * 1024


@pytest.mark.asyncio(loop_scope="module")
async def test_values_sent_in_headers_come_back(both_with_odd_keys: BothClients) -> None:
    """Through every way that an object is written by."""
    client, bucket = both_with_odd_keys.client, renamed(PLAIN, OURS)
    said = {"ContentDisposition": 'attachment; filename="©漢.txt"', "CacheControl": "ü", "Tagging": "k=%C3%BC"}
    small = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)

    async def zeros() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield bytes(MIB)

    async def back(key: str) -> None:
        head = await client.head_object(Bucket=bucket, Key=key)
        assert (head["ContentDisposition"], head["CacheControl"]) == (said["ContentDisposition"], "ü")
        tags = await client.get_object_tagging(Bucket=bucket, Key=key)
        assert tags["TagSet"] == [{"Key": "k", "Value": "ü"}]

    await client.put_object(Bucket=bucket, Key="said", Body=b"1", **said)
    await back("said")
    await client.upload_fileobj(zeros(), bucket, "said in parts", ExtraArgs=said, Config=small)
    await back("said in parts")
    replace = {"MetadataDirective": "REPLACE", "TaggingDirective": "REPLACE"}
    await client.copy({"Bucket": bucket, "Key": "key"}, bucket, "copied", ExtraArgs={**said, **replace})
    await back("copied")
    await client.copy({"Bucket": bucket, "Key": "said in parts"}, bucket, "copied", ExtraArgs={**said, **replace}, Config=small)
    await back("copied")


NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


XSI = "http://www.w3.org/2001/XMLSchema-instance"


MODEL = ibm_botocore.session.get_session().get_service_model("s3")


# How a setting is read and written: the member of the answer that is the document (None: the answer itself), the parameter
# that takes it, and the document's root.
SETTINGS: dict[str, tuple[str, str | None, str, str]] = {
    "get_bucket_acl": ("put_bucket_acl", None, "AccessControlPolicy", "AccessControlPolicy"),
    "get_object_acl": ("put_object_acl", None, "AccessControlPolicy", "AccessControlPolicy"),
    "get_bucket_cors": ("put_bucket_cors", None, "CORSConfiguration", "CORSConfiguration"),
    "get_bucket_lifecycle_configuration": (
        "put_bucket_lifecycle_configuration",
        None,
        "LifecycleConfiguration",
        "LifecycleConfiguration",
    ),
    "get_bucket_website": ("put_bucket_website", None, "WebsiteConfiguration", "WebsiteConfiguration"),
    "get_bucket_protection_configuration": (
        "put_bucket_protection_configuration",
        "ProtectionConfiguration",
        "ProtectionConfiguration",
        "ProtectionConfiguration",
    ),
    "get_public_access_block": (
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
    ),
    "get_bucket_versioning": ("put_bucket_versioning", None, "VersioningConfiguration", "VersioningConfiguration"),
    "get_bucket_replication": (
        "put_bucket_replication",
        "ReplicationConfiguration",
        "ReplicationConfiguration",
        "ReplicationConfiguration",
    ),
    "get_object_lock_configuration": (
        "put_object_lock_configuration",
        "ObjectLockConfiguration",
        "ObjectLockConfiguration",
        "ObjectLockConfiguration",
    ),
    "get_object_retention": ("put_object_retention", "Retention", "Retention", "Retention"),
    "get_object_legal_hold": ("put_object_legal_hold", "LegalHold", "LegalHold", "LegalHold"),
    "get_bucket_tagging": ("put_bucket_tagging", None, "Tagging", "Tagging"),
    "get_object_tagging": ("put_object_tagging", None, "Tagging", "Tagging"),
}


# Values of members that have a closed set; any other text is made up.
WORDS = {
    "Status": "Enabled",
    "ObjectLockEnabled": "Enabled",
    "Mode": "GOVERNANCE",
    "Protocol": "https",
    "Type": "CanonicalUser",
    "MfaDelete": "Enabled",
}


UNKNOWN = "<NotKnown>text &amp; <Deep a='1'>more</Deep><Deep/></NotKnown>"


def test_every_setting_is_covered() -> None:
    pairs = {name for name in OPERATIONS if name.startswith("get_") and f"put_{name[4:]}" in OPERATIONS}
    assert pairs - {"get_object"} == set(SETTINGS)


def _document(root: str, shape: Any, unknown: bool) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{_element(root, shape, root, unknown, NAMESPACE)}'.encode()


def _element(name: str, shape: Any, root: str, unknown: bool, namespace: str = "") -> str:
    xmlns = f' xmlns="{namespace}"' if namespace else ""
    if shape.type_name != "structure":
        return f"<{name}{xmlns}>{escape(_text(name, shape, root))}</{name}>"
    inner, attributes = "", ""
    for member, kind in shape.members.items():
        wire = kind.serialization.get("name", member)
        if kind.serialization.get("location"):
            continue
        if kind.serialization.get("xmlAttribute"):
            attributes += f' xmlns:xsi="{XSI}" {wire}="{WORDS.get(member, "x")}"'
        elif kind.type_name == "list":
            item = wire if kind.serialization.get("flattened") else kind.member.serialization.get("name", "member")
            items = "".join(_element(item, kind.member, root, unknown) for _ in range(2))
            inner += items if kind.serialization.get("flattened") else f"<{wire}>{items}</{wire}>"
        else:
            inner += _element(wire, kind, root, unknown)
    return f"<{name}{xmlns}{attributes}>{inner}{UNKNOWN if unknown else ''}</{name}>"


def _text(name: str, shape: Any, root: str) -> str:
    if shape.type_name in ("integer", "long"):
        return "7"
    if shape.type_name == "boolean":
        return "true"
    if shape.type_name == "timestamp":
        return "2040-01-01T00:00:00Z"
    if name == "Status" and root in ("ProtectionConfiguration", "LegalHold"):
        return {"ProtectionConfiguration": "Retention", "LegalHold": "ON"}[root]
    return WORDS.get(name, f"some ü & <{name}>")


def _tree(data: bytes) -> Any:
    """A document as it compares: the order of unlike elements means nothing, that of like ones does."""

    def of(element: ElementTree.Element) -> Any:
        children: dict[str, list[Any]] = {}
        for child in element:
            children.setdefault(child.tag.rpartition("}")[2], []).append(of(child))
        text = (element.text or "").strip()
        return {"text": text, **{f"@{name}": value for name, value in element.attrib.items()}, **children}

    root = ElementTree.fromstring(data)
    return root.tag.rpartition("}")[2], of(root)


@dataclass
class Settings:
    """One document, whatever is asked for."""

    endpoint: str = ""
    document: bytes = b""
    written: list[bytes] = field(default_factory=list[bytes])

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            while line := file.readline():
                headers = dict(
                    header.rstrip(b"\r\n").lower().split(b": ", 1) for header in iter(file.readline, b"\r\n") if b": " in header
                )
                body = file.read(int(headers.get(b"content-length", b"0")))
                if line.startswith(b"PUT"):
                    self.written.append(body)
                answer = self.document if line.startswith(b"GET") else b""
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


@contextlib.contextmanager
def _serving() -> Generator[Settings]:
    settings = Settings()
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=settings.serve, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield settings
        server.shutdown(socket.SHUT_RDWR)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[S3Client, Settings]]:
    with _serving() as settings:
        config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
        async with ibm_boto3.client("s3", endpoint_url=settings.endpoint, config=config) as client:
            yield client, settings


async def _written_back(client: S3Client, settings: Settings, method: str, document: bytes) -> bytes:
    write, member, parameter, _ = SETTINGS[method]
    place = {"Bucket": "bucket", "Key": "key"} if "object_" in method and "lock" not in method else {"Bucket": "bucket"}
    settings.document = document
    read = await getattr(client, method)(**place)
    read.pop("ResponseMetadata")
    assert None not in read.values()
    settings.written.clear()
    await getattr(client, write)(**place, **{parameter: read if member is None else read[member]})
    (written,) = settings.written
    return written


def _shape(method: str) -> Any:
    write, _, parameter, _ = SETTINGS[method]
    return MODEL.operation_model(OPERATIONS[write].__name__).input_shape.members[parameter]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", SETTINGS)
async def test_every_member_of_a_setting_comes_back(method: str, served: tuple[S3Client, Settings]) -> None:
    document = _document(SETTINGS[method][3], _shape(method), unknown=False)
    assert _tree(await _written_back(*served, method, document)) == _tree(document)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", SETTINGS)
async def test_unknown_elements_come_back(method: str, served: tuple[S3Client, Settings]) -> None:
    document = _document(SETTINGS[method][3], _shape(method), unknown=True)
    assert b"<NotKnown>" in document
    assert _tree(await _written_back(*served, method, document)) == _tree(document)


LIFECYCLE = f"""<LifecycleConfiguration xmlns="{NAMESPACE}">
  <Rule>
    <ID>a</ID><Status>Enabled</Status><Filter><Prefix>a/</Prefix></Filter>
    <NoncurrentVersionTransition><NoncurrentDays>3</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>
    <NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>ACCELERATED</StorageClass></NoncurrentVersionTransition>
    <NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays></NoncurrentVersionExpiration>
  </Rule>
  <Rule><Status>Enabled</Status><Filter/><NewKind><Days>3</Days></NewKind></Rule>
  <TransitionDefaultMinimumObjectSize>all_storage_classes_128K</TransitionDefaultMinimumObjectSize>
</LifecycleConfiguration>""".encode()


@pytest.mark.asyncio(loop_scope="module")
async def test_transitions_of_noncurrent_versions_are_members(served: tuple[S3Client, Settings]) -> None:
    """Amazon's SDK has this member, and IBM's lacks it; what neither has is text."""
    client, settings = served
    settings.document = LIFECYCLE
    read = await client.get_bucket_lifecycle_configuration(Bucket="bucket")
    assert read["Rules"][0]["NoncurrentVersionTransitions"] == [
        {"NoncurrentDays": 3, "StorageClass": "GLACIER"},
        {"NoncurrentDays": 30, "StorageClass": "ACCELERATED"},
    ]
    assert read["Rules"][1]["UnknownElements"] == ["<NewKind><Days>3</Days></NewKind>"]
    assert len(read["UnknownElements"]) == 1
    assert _tree(await _written_back(client, settings, "get_bucket_lifecycle_configuration", LIFECYCLE)) == _tree(LIFECYCLE)


@pytest.mark.asyncio(loop_scope="module")
async def test_unknown_elements_are_elements(served: tuple[S3Client, Settings]) -> None:
    client, _ = served
    for unknown in ("<A>", "text", "<A/><B/>", 5):
        rules = [{"Status": "Enabled", "Filter": {}, "UnknownElements": [unknown]}]
        with pytest.raises(ibm_boto3.exceptions.ParamValidationError, match=r"(?i)unknown_?elements"):
            await client.put_bucket_lifecycle_configuration(Bucket="bucket", LifecycleConfiguration={"Rules": rules})
