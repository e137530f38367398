"""For equal parameters, aiocos builds the request that IBM's SDK builds.

The client and the emulator of this project share the specs of operations, and would agree on a mistake in them. So here every
parameter in the SDK's service model is given to both clients, one at a time and all together, and the requests are compared:
method, path, query, headers, and XML documents as trees. Accepted differences are listed below, each with its reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from aiocos.auth.base import Anonymous
from aiocos.client import Client
from aiocos.groups import engine_of
from aiocos.operations import every_operation
from aiocos.wire.spec import Body, Header, HeaderMap, KeyHeaders, Operation, Payload, Query, registry

from .ibm import Argument, RecordingSdk, SentRequest, arguments_for, our_location, sdk_location, tree

# Over http the SDK sends bodies unchanged; over https it sends chunks with a trailing checksum.
ENDPOINT = "http://cos.example"

OPERATIONS = list(every_operation().values())

# Headers that only one client adds. The servers of the conformance suite check them.
ADDED = {
    "user-agent": "names the library",
    "amz-sdk-invocation-id": "the SDK's own bookkeeping",
    "amz-sdk-request": "the SDK's own bookkeeping",
    "accept-encoding": "the SDK requests no compression; our transport adds the header later",
    "content-length": "written by our transport when the body is sent",
    "expect": "the SDK waits for 100 Continue before every body; aiocos can repeat bodies and does not wait",
    "transfer-encoding": "the encoding on the connection, not part of the request's meaning",
    "host": "written by the transport",
}

# A body that needs a checksum has one. Which one is the client's choice: here Content-MD5 for documents, and CRC64NVME or CRC32
# for objects and parts; the SDK uses CRC-32 where the model does not require MD5.
SUMS = {"content-md5", "x-amz-checksum-crc32", "x-amz-checksum-crc64nvme"}
CHECKSUMS = SUMS | {"x-amz-sdk-checksum-algorithm"}

# Members of the model that aiocos does not offer.
NOT_OFFERED = {
    "PutObject.ContentLength": "follows from the body",
    "UploadPart.ContentLength": "follows from the body",
    "GetObjectLegalHold.ContentMD5": "there is no body",
    "CopyObject.WebsiteRedirectLocation": "not declared as a header in the model, so the SDK raises; aiocos sends a header",
}

# Parameters of aiocos that the model does not have.
OURS_ALONE = {
    "content-md5": "two operations without a body need a checksum of no bytes; the SDK adds a CRC-32 by itself",
    "aspera-ak-max-tries": "documented for DeleteBucket, absent from the model",
    "if-match": "conditional writes are documented (412), absent from the model",
    "if-none-match": "conditional writes are documented (412), absent from the model",
    "if-unmodified-since": "conditional writes are documented (412), absent from the model",
    "x-amz-server-side-encryption-customer-": "ListParts of an upload with a customer's key; Amazon's model has it",
    "x-ibm-forbid-overwrite": "documented for the on-premises product from release 3.20, absent from the model",
    "x-amz-website-redirect-location": "see CopyObject.WebsiteRedirectLocation above",
}

# Query parameters that only aiocos sends.
OUR_QUERY = {
    (
        "ListMultipartUploads",
        ("encoding-type", "url"),
    ): "uploads can have keys that XML cannot represent; the SDK does not consider that",
    ("ListBucketReplicationFailures", ("encoding-type", "url")): "failed objects can have keys that XML cannot represent",
}

# Query parameters that are equal in another form.
OTHER_FORM = {
    ("response-expires", "2030-01-02T03:04:05Z"): (
        "Wed, 02 Jan 2030 03:04:05 GMT",
        "returned unchanged in the Expires header of the response, which is an HTTP date; the SDK sends ISO 8601",
    ),
}

# The SDK writes booleans in headers like Python; the service accepts both, and the documentation has `true`.
BOOLEANS = {"True": "true", "False": "false"}


@pytest.fixture(scope="module")
def sdk() -> Iterator[RecordingSdk]:
    created = RecordingSdk(ENDPOINT)
    yield created
    created.close()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(endpoint=ENDPOINT, credentials=Anonymous()) as client:
        yield client


def _sides(cls: type[Operation[Any]], arguments: list[Argument]) -> tuple[dict[str, Any], Operation[Any]]:
    theirs: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    for argument in arguments:
        theirs |= argument.theirs
        ours |= argument.ours
    return theirs, cls(**ours)


def _headers(sent: SentRequest, given: set[str]) -> dict[str, str]:
    compared = {n: BOOLEANS.get(v, v) for n, v in sent.headers.items() if n not in ADDED}
    return {n: v for n, v in compared.items() if n not in CHECKSUMS or n in given}


def _compare(name: str, ours: SentRequest, theirs: SentRequest, given: set[str]) -> None:
    assert ours.method == theirs.method
    assert ours.path == theirs.path
    allowed = [pair for (operation, pair) in OUR_QUERY if operation == name and pair not in theirs.query]
    expected = [(n, OTHER_FORM[n, v][0]) if (n, v) in OTHER_FORM else (n, v) for n, v in theirs.query]
    assert [pair for pair in ours.query if pair not in allowed] == expected
    assert _headers(ours, given) == _headers(theirs, given)
    # Either both send a checksum of the body, or neither.
    if SUMS & set(theirs.headers) and (ours.body or theirs.body):
        assert SUMS & set(ours.headers)
    if theirs.body.startswith(b"<"):
        assert tree(ours.body) == tree(theirs.body)
    else:
        assert ours.body == theirs.body


async def _check(cls: type[Operation[Any]], arguments: list[Argument], sdk: RecordingSdk, client: Client) -> None:
    arguments, operation = _sides(cls, arguments)
    ours = SentRequest.of_ours(await engine_of(client).prepare(operation))
    theirs = sdk.request(cls.__name__, arguments)
    # A checksum given as an argument is compared; one that the client adds by itself is its choice.
    members = sdk.members(cls.__name__)
    given = {sdk_location(member, members[member])[1] for member in arguments}
    _compare(cls.__name__, ours, theirs, given)


def _required(cls: type[Operation[Any]], arguments: list[Argument]) -> list[Argument]:
    names = {p.name for p in cls.spec.parameters if p.required}
    return [argument for argument in arguments if argument.name in names]


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
async def test_aiocos_and_the_sdk_build_equal_requests(cls: type[Operation[Any]], sdk: RecordingSdk, client: Client) -> None:
    arguments = arguments_for(cls, sdk.members(cls.__name__), [])
    required = _required(cls, arguments)
    await _check(cls, required, sdk, client)
    for argument in arguments:
        if argument not in required:
            await _check(cls, [*required, argument], sdk, client)
    await _check(cls, arguments, sdk, client)


_KEYS = [
    "a//b", "//", "/lead", "trail/", "./x", "..", "../..", "a/../b", "ü/ñ/漢字/🙂", "a+b", "a%2Fb", "%", "a b", " x ", "?",
    "a?acl",    "#", "&=;", "a:b@c", "'\"<>", "\\", "~*()[]{}!$,", "\t\n\r", "\x01", "x" * 1024, "ü" * 512,
]  # fmt: skip


@pytest.mark.parametrize("key", _KEYS, ids=ascii)
async def test_unusual_keys_have_equal_paths(key: str, sdk: RecordingSdk, client: Client) -> None:
    for name in ("PutObject", "GetObject", "HeadObject", "DeleteObject", "GetObjectAcl", "CreateMultipartUpload"):
        ours = SentRequest.of_ours(await engine_of(client).prepare(registry[name]("bucket", key)))
        theirs = sdk.request(name, {"Bucket": "bucket", "Key": key})
        _compare(name, ours, theirs, set())


@pytest.mark.parametrize("text", ["", "ü", "a b", "+", "%41", "/", "&", "=", "'", "~", "\r\n", "\x01"], ids=ascii)
async def test_unusual_texts_have_equal_queries(text: str, sdk: RecordingSdk, client: Client) -> None:
    operation = registry["ListObjectsV2"]("bucket", prefix=text, delimiter=text, start_after=text, continuation_token=text)
    theirs = {"Bucket": "bucket", "Prefix": text, "Delimiter": text, "StartAfter": text, "ContinuationToken": text}
    _compare(
        "ListObjectsV2",
        SentRequest.of_ours(await engine_of(client).prepare(operation)),
        sdk.request("ListObjectsV2", theirs),
        set(),
    )


def test_every_operation_is_in_the_sdk_model(sdk: RecordingSdk) -> None:
    known = set(sdk.client.meta.service_model.operation_names)
    assert {cls.__name__ for cls in OPERATIONS} <= known


def test_every_parameter_that_only_the_sdk_has_is_listed(sdk: RecordingSdk) -> None:
    missing: list[str] = []
    for cls in OPERATIONS:
        arguments_for(cls, sdk.members(cls.__name__), missing)
    digests = {name for name in missing if name.endswith((".ContentMD5", ".ChecksumAlgorithm")) and _adds_md5(name)}
    assert set(missing) - digests == set(NOT_OFFERED)


def _adds_md5(name: str) -> bool:
    # aiocos computes Content-MD5 from the document, so it has no parameter for it.
    body = registry[name.partition(".")[0]].spec.body
    return body is not None and isinstance(body.location, Body) and body.location.md5


def test_every_parameter_that_only_aiocos_has_is_listed(sdk: RecordingSdk) -> None:
    alone: set[str] = set()
    for cls in OPERATIONS:
        members = sdk.members(cls.__name__)
        theirs = {sdk_location(member, shape) for member, shape in members.items()}
        for p in cls.spec.parameters:
            if isinstance(p.location, Query) and p.required and "RetentionLegalHoldId" in members:
                continue  # in the path, in the SDK's model
            if isinstance(p.location, Header | Query | HeaderMap) and our_location(p) not in theirs:
                alone.add(our_location(p)[1])
            elif isinstance(p.location, KeyHeaders) and ("Header", f"{p.location.prefix}key".lower()) not in theirs:
                alone.add(p.location.prefix)
            elif isinstance(p.location, Payload):
                assert any(shape.type_name == "blob" for shape in members.values())
    assert alone == set(OURS_ALONE)


def test_the_comparison_detects_each_difference() -> None:
    argument = SentRequest("PUT", "/b/k", [("acl", "")], {"x-amz-acl": "private"}, b"<A><B>1</B></A>")
    for other in (
        SentRequest("POST", argument.path, argument.query, argument.headers, argument.body),
        SentRequest("PUT", "/b/k/", argument.query, argument.headers, argument.body),
        SentRequest("PUT", argument.path, [], argument.headers, argument.body),
        SentRequest("PUT", argument.path, argument.query, {"x-amz-acl": "public-read"}, argument.body),
        SentRequest("PUT", argument.path, argument.query, {**argument.headers, "x-amz-new": "1"}, argument.body),
        SentRequest("PUT", argument.path, argument.query, argument.headers, b"<A><B>2</B></A>"),
        SentRequest("PUT", argument.path, argument.query, argument.headers, b'<A xmlns="urn:x"><B>1</B></A>'),
    ):
        with pytest.raises(AssertionError):
            _compare("PutObjectAcl", argument, other, set())
