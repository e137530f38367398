"""The first witness: for the same parameters, our request is the one that IBM's SDK builds.

Client and emulator of this project share the statements of operations, and would agree on a mistake. Here everything that the
SDK's own service model can say of an operation is said to both, alone and all together, and the two requests are compared:
method, path, query, headers, and XML as trees. What may differ stands in the tables below, each with its reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import aiocos.operations  # noqa: F401 - registers every operation
from aiocos.auth.base import Anonymous
from aiocos.client import Client
from aiocos.groups import engine_of
from aiocos.wire.spec import Body, Header, HeaderMap, KeyHeaders, Operation, Payload, Query, registry

from .ibm import Sent, Told, Witness, our_place, tell, tree, wire_place

# Over http the SDK sends bodies as they are; over https it frames them in chunks with a checksum at the end.
ENDPOINT = "http://cos.example"

OPERATIONS = [cls for cls in registry.values() if cls.__module__.startswith("aiocos.")]

# Headers that one side adds of itself. Whether they are right is for the servers of the conformance suite.
ADDED = {
    "user-agent": "names the library",
    "amz-sdk-invocation-id": "the SDK's own bookkeeping",
    "amz-sdk-request": "the SDK's own bookkeeping",
    "accept-encoding": "the SDK asks for no compression; our transport does the same later",
    "content-length": "written by our transport when the body is sent",
    "expect": "the SDK waits for a 100 before every body; a client that can repeat its body need not",
    "transfer-encoding": "how the bytes travel, not what they mean",
    "host": "written by the transport",
}

# A body whose integrity is demanded carries one checksum. Which one is the sender's choice: Content-MD5 is the one that every
# server of this protocol knows, and the SDK takes CRC-32 where the model does not insist on MD5.
CHECKSUMS = {"content-md5", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"}

# Members of the model that we do not offer.
NOT_OFFERED = {
    "PutObject.ContentLength": "follows from the body",
    "UploadPart.ContentLength": "follows from the body",
    "GetObjectLegalHold.ContentMD5": "there is no body",
    "CopyObject.WebsiteRedirectLocation": "the model forgets to say that it is a header, and the SDK raises; ours is a header",
}

# Parameters of ours that the model does not know.
OURS_ALONE = {
    "content-md5": "two operations without a body want a checksum of nothing; the SDK computes a CRC-32 without being asked",
    "aspera-ak-max-tries": "documented for DeleteBucket, absent from the model",
    "if-match": "conditional writes are documented (412), absent from the model",
    "if-none-match": "conditional writes are documented (412), absent from the model",
    "if-unmodified-since": "conditional writes are documented (412), absent from the model",
    "x-amz-server-side-encryption-customer-": "ListParts of an upload with a customer's key; Amazon's model has it",
    "x-ibm-forbid-overwrite": "documented for the on-premises product from release 3.20, absent from the model",
    "x-amz-website-redirect-location": "see CopyObject.WebsiteRedirectLocation above",
}

# Query parameters that we send and the SDK does not.
OUR_QUERY = {
    (
        "ListMultipartUploads",
        ("encoding-type", "url"),
    ): "uploads have keys that XML cannot carry too; the SDK forgot",
    ("ListBucketReplicationFailures", ("encoding-type", "url")): "the same",
}

# Query parameters that say the same in another form.
OTHER_FORM = {
    ("response-expires", "2030-01-02T03:04:05Z"): (
        "Wed, 02 Jan 2030 03:04:05 GMT",
        "becomes the Expires header of the answer as it stands, and that is an HTTP date; the SDK writes ISO 8601",
    ),
}

# The SDK writes booleans in headers as Python does; the service takes both, and the documentation says `true`.
BOOLEANS = {"True": "true", "False": "false"}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    made = Witness(ENDPOINT)
    yield made
    made.close()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(endpoint=ENDPOINT, credentials=Anonymous()) as made:
        yield made


def _sides(cls: type[Operation[Any]], told: list[Told]) -> tuple[dict[str, Any], Operation[Any]]:
    theirs: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    for one in told:
        theirs |= one.theirs
        ours |= one.ours
    return theirs, cls(**ours)


def _headers(sent: Sent, given: set[str]) -> dict[str, str]:
    kept = {n: BOOLEANS.get(v, v) for n, v in sent.headers.items() if n not in ADDED}
    return {n: v for n, v in kept.items() if n not in CHECKSUMS or n in given}


def _compare(name: str, ours: Sent, theirs: Sent, given: set[str]) -> None:
    assert ours.method == theirs.method
    assert ours.path == theirs.path
    allowed = [pair for (operation, pair) in OUR_QUERY if operation == name and pair not in theirs.query]
    expected = [(n, OTHER_FORM[n, v][0]) if (n, v) in OTHER_FORM else (n, v) for n, v in theirs.query]
    assert [pair for pair in ours.query if pair not in allowed] == expected
    assert _headers(ours, given) == _headers(theirs, given)
    # Either both vouch for the body, or neither.
    demanded = {"content-md5", "x-amz-checksum-crc32"} & set(theirs.headers)
    if demanded and (ours.body or theirs.body):
        assert {"content-md5", "x-amz-checksum-crc32"} & set(ours.headers)
    if theirs.body.startswith(b"<"):
        assert tree(ours.body) == tree(theirs.body)
    else:
        assert ours.body == theirs.body


async def _check(cls: type[Operation[Any]], told: list[Told], witness: Witness, client: Client) -> None:
    arguments, operation = _sides(cls, told)
    ours = Sent.of_ours(await engine_of(client).prepare(operation))
    theirs = witness.request(cls.__name__, arguments)
    # A checksum that was given is compared; one that was added is a choice.
    members = witness.members(cls.__name__)
    given = {wire_place(member, members[member])[1] for member in arguments}
    _compare(cls.__name__, ours, theirs, given)


def _required(cls: type[Operation[Any]], told: list[Told]) -> list[Told]:
    names = {p.name for p in cls.spec.parameters if p.required}
    return [one for one in told if one.name in names]


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
async def test_our_request_is_theirs(cls: type[Operation[Any]], witness: Witness, client: Client) -> None:
    told = tell(cls, witness.members(cls.__name__), [])
    required = _required(cls, told)
    await _check(cls, required, witness, client)
    for one in told:
        if one not in required:
            await _check(cls, [*required, one], witness, client)
    await _check(cls, told, witness, client)


_KEYS = [
    "a//b", "//", "/lead", "trail/", "./x", "..", "../..", "a/../b", "ü/ñ/漢字/🙂", "a+b", "a%2Fb", "%", "a b", " x ", "?",
    "a?acl",    "#", "&=;", "a:b@c", "'\"<>", "\\", "~*()[]{}!$,", "\t\n\r", "\x01", "x" * 1024, "ü" * 512,
]  # fmt: skip


@pytest.mark.parametrize("key", _KEYS, ids=ascii)
async def test_odd_keys_have_the_same_path(key: str, witness: Witness, client: Client) -> None:
    for name in ("PutObject", "GetObject", "HeadObject", "DeleteObject", "GetObjectAcl", "CreateMultipartUpload"):
        ours = Sent.of_ours(await engine_of(client).prepare(registry[name]("bucket", key)))
        theirs = witness.request(name, {"Bucket": "bucket", "Key": key})
        _compare(name, ours, theirs, set())


@pytest.mark.parametrize("text", ["", "ü", "a b", "+", "%41", "/", "&", "=", "'", "~", "\r\n", "\x01"], ids=ascii)
async def test_odd_texts_have_the_same_query(text: str, witness: Witness, client: Client) -> None:
    operation = registry["ListObjectsV2"]("bucket", prefix=text, delimiter=text, start_after=text, continuation_token=text)
    theirs = {"Bucket": "bucket", "Prefix": text, "Delimiter": text, "StartAfter": text, "ContinuationToken": text}
    _compare(
        "ListObjectsV2",
        Sent.of_ours(await engine_of(client).prepare(operation)),
        witness.request("ListObjectsV2", theirs),
        set(),
    )


def test_every_operation_is_in_the_model(witness: Witness) -> None:
    known = set(witness.client.meta.service_model.operation_names)
    assert {cls.__name__ for cls in OPERATIONS} <= known


def test_what_we_do_not_offer_has_a_reason(witness: Witness) -> None:
    missing: list[str] = []
    for cls in OPERATIONS:
        tell(cls, witness.members(cls.__name__), missing)
    digests = {name for name in missing if name.endswith((".ContentMD5", ".ChecksumAlgorithm")) and _adds_md5(name)}
    assert set(missing) - digests == set(NOT_OFFERED)


def _adds_md5(name: str) -> bool:
    # We compute Content-MD5 from the document, so that there is nothing to give and nothing to choose.
    body = registry[name.partition(".")[0]].spec.body
    return body is not None and isinstance(body.location, Body) and body.location.md5


def test_what_only_we_offer_has_a_reason(witness: Witness) -> None:
    alone: set[str] = set()
    for cls in OPERATIONS:
        members = witness.members(cls.__name__)
        theirs = {wire_place(member, shape) for member, shape in members.items()}
        for p in cls.spec.parameters:
            if isinstance(p.location, Query) and p.required and "RetentionLegalHoldId" in members:
                continue  # written into the path by the model
            if isinstance(p.location, Header | Query | HeaderMap) and our_place(p) not in theirs:
                alone.add(our_place(p)[1])
            elif isinstance(p.location, KeyHeaders) and ("Header", f"{p.location.prefix}key".lower()) not in theirs:
                alone.add(p.location.prefix)
            elif isinstance(p.location, Payload):
                assert any(shape.type_name == "blob" for shape in members.values())
    assert alone == set(OURS_ALONE)


def test_the_comparison_can_fail() -> None:
    one = Sent("PUT", "/b/k", [("acl", "")], {"x-amz-acl": "private"}, b"<A><B>1</B></A>")
    for other in (
        Sent("POST", one.path, one.query, one.headers, one.body),
        Sent("PUT", "/b/k/", one.query, one.headers, one.body),
        Sent("PUT", one.path, [], one.headers, one.body),
        Sent("PUT", one.path, one.query, {"x-amz-acl": "public-read"}, one.body),
        Sent("PUT", one.path, one.query, {**one.headers, "x-amz-new": "1"}, one.body),
        Sent("PUT", one.path, one.query, one.headers, b"<A><B>2</B></A>"),
        Sent("PUT", one.path, one.query, one.headers, b'<A xmlns="urn:x"><B>1</B></A>'),
    ):
        with pytest.raises(AssertionError):
            _compare("PutObjectAcl", one, other, set())
