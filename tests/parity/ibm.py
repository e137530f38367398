"""IBM's SDK for the parity tests: its requests are captured for comparison, and its service model is read.

A `before-send` hook replaces every response by a canned one, so no request leaves this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import ibm_boto3
from ibm_botocore import UNSIGNED
from ibm_botocore.awsrequest import AWSResponse
from ibm_botocore.config import Config

from aiocos.wire.document import Document, plan_of
from aiocos.wire.message import PreparedRequest
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, Header, HeaderMap, KeyHeaders, Operation, Parameter, Path, Query
from aiocos.wire.values import CopySource

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class SentRequest:
    """A request in a form that can be compared: everything decoded, header names in lower case."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of_ours(cls, request: PreparedRequest) -> SentRequest:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return cls(request.method, request.path, _pairs(request.query), headers, bytes(request.body or b""))

    @classmethod
    def of_theirs(cls, request: Any) -> SentRequest:
        headers = {name.lower(): v.decode("latin-1") if isinstance(v, bytes) else str(v) for name, v in request.headers.items()}
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        parts = urlsplit(request.url)
        return cls(request.method, parts.path, _pairs(parts.query), headers, body if isinstance(body, bytes) else body.encode())


def _pairs(query: str) -> list[tuple[str, str]]:
    return sorted((unquote(n), unquote(v)) for n, _, v in (part.partition("=") for part in query.split("&") if part))


class RecordingSdk:
    """The SDK, with a hook that captures its requests."""

    def __init__(self, endpoint: str) -> None:
        # Without signatures, and without body checksums that depend on the SDK's settings and not on the service.
        config = Config(
            signature_version=UNSIGNED,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            retries={"max_attempts": 0},
        )
        self.client = ibm_boto3.client("s3", endpoint_url=endpoint, region_name="us-south", config=config)
        self._caught: list[Any] = []
        self.client.meta.events.register("before-send.s3", self._respond)

    def _respond(self, request: Any, **_: Any) -> AWSResponse:
        self._caught.append(request)
        return AWSResponse(request.url, 200, {}, _Raw(b"" if request.method == "HEAD" else b"<Empty/>"))

    def close(self) -> None:
        self.client.close()

    def members(self, operation: str) -> dict[str, Any]:
        shape = self.client.meta.service_model.operation_model(operation).input_shape
        return dict(shape.members) if shape else {}

    def request(self, operation: str, arguments: dict[str, Any]) -> SentRequest:
        self._caught.clear()
        method = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()
        getattr(self.client, method)(**arguments)
        (request,) = self._caught
        return SentRequest.of_theirs(request)


class _Raw:
    """A response body with the methods that botocore calls."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, amount: int = 0, decode_content: bool = False) -> Any:
        yield self._body

    def read(self, amount: int | None = None) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        pass


# ---------------------------------------------------------------------------------------------------------------------
# One value for both clients


@dataclass(frozen=True)
class Argument:
    """One value for both clients: arguments for the SDK, and a parameter for aiocos."""

    name: str
    theirs: dict[str, Any]
    ours: dict[str, Any]


def sdk_location(member: str, shape: Any) -> tuple[str, str]:
    """Return where the SDK's model puts a member in a request: the kind of location, and the name there in lower case."""
    location = shape.serialization.get("location")
    kind = {"header": "Header", "querystring": "Query", "uri": "Path", "headers": "HeaderMap", None: "Body"}[location]
    return kind, str(shape.serialization.get("name") or member).lower()


def our_location(p: Parameter) -> tuple[str, str]:
    place = p.location
    if isinstance(place, Header | Query):
        return type(place).__name__, place.name.lower()
    if isinstance(place, HeaderMap):
        return "HeaderMap", place.prefix.lower()
    return "Path", p.name


def arguments_for(cls: type[Operation[Any]], members: dict[str, Any], missing: list[str]) -> list[Argument]:
    """Return sample arguments for all that both clients can send; members that only the SDK has are added to `missing`."""
    spec = cls.spec
    ours = {our_location(p): p for p in spec.parameters if isinstance(p.location, Header | Query | HeaderMap | Path)}
    arguments: list[Argument] = []
    for p in spec.parameters:
        if isinstance(p.location, KeyHeaders):
            prefix = "CopySource" if p.location.prefix.startswith("x-amz-copy-source") else ""
            if f"{prefix}SSECustomerKey" in members:
                theirs = {f"{prefix}SSECustomerAlgorithm": "AES256", f"{prefix}SSECustomerKey": KEY}
                arguments.append(Argument(p.name, theirs, {p.name: KEY}))
    for member, shape in members.items():
        if "SSECustomer" in member:
            continue
        place = sdk_location(member, shape)
        if place[0] == "Path" and place[1] not in ("bucket", "key"):
            # The model puts the query of these operations into the path: `?legalHold&add={RetentionLegalHoldId}`.
            place = next((o for o, p in ours.items() if o[0] == "Query" and p.required), place)
        if place[0] == "Body":
            p = spec.body
            if p is None or shape.type_name not in ("blob", "structure"):
                missing.append(f"{cls.__name__}.{member}")
            elif shape.type_name == "blob":
                arguments.append(Argument(p.name, {member: b"some bytes"}, {p.name: b"some bytes"}))
            else:
                assert isinstance(p.location, Body)
                document = p.location.of or _document(p)
                theirs, document_value = sample(shape, document, f"{cls.__name__}.{member}", missing)
                value = document_value if p.location.of is None else getattr(document_value, next(iter(document.model_fields)))
                arguments.append(Argument(p.name, {member: theirs}, {p.name: value}))
        elif place in ours:
            theirs, mine = _scalar(member, shape, ours[place])
            arguments.append(Argument(ours[place].name, {member: theirs}, {ours[place].name: mine}))
        else:
            missing.append(f"{cls.__name__}.{member}")
    return arguments


def _document(p: Parameter) -> type[Document]:
    from aiocos.wire.document import unwrap

    return unwrap(p.type)


def _scalar(member: str, shape: Any, p: Parameter) -> tuple[Any, Any]:
    text = str(p.type)
    if isinstance(p.location, Path):
        value = "bucket" if p.name == "bucket" else "some/key"
        return value, value
    if "CopySource" in text:
        source = CopySource("source", "a/ü +?%&", "v-1_2.3~4")
        return {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id}, source
    if "ByteRange" in text:
        return "bytes=1-5", ByteRange(1, 5)
    if shape.type_name == "map":
        return {"who": "me, and you", "n-2": ""}, {"who": "me, and you", "n-2": ""}
    if shape.type_name == "timestamp":
        return MOMENT, MOMENT
    if shape.type_name == "boolean":
        return True, True
    if shape.type_name in ("integer", "long"):
        return 7, 7
    if shape.enum and ("Literal" in text or member == "ChecksumAlgorithm"):
        return shape.enum[0], shape.enum[0]
    value = "a b+c/ü&=%?#~'" if isinstance(p.location, Query) else f'"{member}", a=b; c'
    return value, value


def sample(shape: Any, cls: type[Document], where: str, missing: list[str]) -> tuple[Any, Any]:
    """Return a structure for the SDK and the equal document of ours, with all fields set."""
    plan = plan_of(cls)
    theirs: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    attributes = {entry.name: entry for entry in plan.attributes}
    for member, inner in shape.members.items():
        name = inner.serialization.get("name") or member
        entry = attributes.get(name) or plan.by_name.get(name)
        if inner.type_name == "list" and inner.serialization.get("flattened"):
            name = inner.member.serialization.get("name") or name
            entry = plan.by_name.get(name)
        if entry is None:
            missing.append(f"{where}.{member}")
            continue
        kind = inner.member if inner.type_name == "list" else inner
        values: list[Any] = []
        for n in (1, 2) if inner.type_name == "list" else (1,):
            if kind.type_name == "structure":
                annotation = cls.model_fields[entry.field].annotation
                values.append(sample(kind, model_in(annotation), f"{where}.{member}", missing))
            else:
                # No carriage return: beside other special characters, the SDK does not escape it, and XML makes it a line feed.
                text = f'<{member} {n}> & "\n\t'
                value = {"integer": n, "long": n, "boolean": True, "timestamp": MOMENT}.get(kind.type_name, text)
                if getattr(kind, "enum", None) and "Literal" in str(cls.model_fields[entry.field].annotation):
                    value = kind.enum[0]
                values.append((value, value))
        many = inner.type_name == "list"
        theirs[member] = [t for t, _ in values] if many else values[0][0]
        ours[entry.field] = [o for _, o in values] if many else values[0][1]
    return theirs, cls(**ours)


def model_in(annotation: Any) -> type[Document]:
    from typing import get_args

    from aiocos.wire.document import unwrap

    kind = unwrap(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, Document) else unwrap(get_args(kind)[0])


def tree(data: bytes) -> Any:
    """Return XML in a form that compares like the service reads it: only siblings with one name have an order."""

    def form(element: ElementTree.Element) -> Any:
        children: dict[str, list[Any]] = {}
        for child in element:
            children.setdefault(child.tag, []).append(form(child))
        return sorted(element.attrib.items()), (element.text or "") if not len(element) else "", children

    root = ElementTree.fromstring(data)
    return root.tag, form(root)
