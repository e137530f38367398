"""Tests of `aiocos.wire.strict`: a response of another operation, bucket or key is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.errors import ProtocolError, ServiceError, Throttled
from aiocos.operations.buckets import BucketPage, GetBucketLocation, ListBuckets, ListBucketsExtended
from aiocos.operations.cors import GetBucketCors, PutBucketCors
from aiocos.operations.listing import CommonPrefix, ListObjects, ListObjectsV2, ListObjectVersions, ObjectEntry
from aiocos.operations.multipart import (
    CompleteMultipartUpload,
    CreateMultipartUpload,
    ListMultipartUploads,
    ListParts,
    UploadPart,
    UploadPartCopy,
)
from aiocos.operations.objects import (
    CopyObject,
    Delete,
    DeleteObject,
    DeleteObjects,
    HeadObject,
    ObjectIdentifier,
    PutObject,
)
from aiocos.operations.protection import GetBucketProtectionConfiguration
from aiocos.operations.tagging import GetObjectTagging
from aiocos.wire.bind import has_document
from aiocos.wire.document import root_of
from aiocos.wire.message import Response
from aiocos.wire.spec import Operation
from aiocos.wire.strict import read_response

from .strategies import ODD_KEYS, instances, operations

HTML = [
    b"<html><body>Log in</body></html>",
    b"<!DOCTYPE html>\n<html><head></head></html>",
    b"\n<!-- proxy --><HTML></HTML>",
    b"\xef\xbb\xbf<!doctype HTML><title>x</title>",
]
OTHERS = [b"<Other/>", b"<CopyObject/>", b'<?xml version="1.0"?>\n<!-- c --><x:Results xmlns:x="u"><ETag>1</ETag></x:Results>']


def _any(cls: type[Operation[Any]]) -> Operation[Any]:
    return instances(cls).example()


def _parts(*numbers: int) -> Any:
    return [{"part_number": n, "etag": '"e"'} for n in numbers]


ASKED: list[Operation[Any]] = [
    ListObjectsV2("b"),
    ListObjects("b"),
    ListObjectVersions("b"),
    ListMultipartUploads("b"),
    ListParts("b", "k", "u"),
    ListBuckets(),
    ListBucketsExtended(),
    GetBucketLocation("b"),
    GetBucketCors("b"),
    GetObjectTagging("b", "k"),
    GetBucketProtectionConfiguration("b"),
    CopyObject("b", "k", ("b", "s")),
    UploadPartCopy("b", "k", "u", 1, ("b", "s")),
    CreateMultipartUpload("b", "k"),
    CompleteMultipartUpload("b", "k", "u", _parts(1)),
    DeleteObjects("b", Delete(objects=[ObjectIdentifier(key="k")])),
    PutObject("b", "k", b""),
    UploadPart("b", "k", "u", 1, b""),
    DeleteObject("b", "k"),
    HeadObject("b", "k"),
    PutBucketCors("b", []),
]
NAMES = [operation.spec.name for operation in ASKED]


@pytest.mark.parametrize("operation", ASKED, ids=NAMES)
@pytest.mark.parametrize("body", HTML, ids=range(len(HTML)))
def test_a_web_page_is_refused(operation: Operation[Any], body: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"web page|DOCTYPE|document type|has no"):
        read_response(operation, Response(200, {"x-amz-request-id": "r"}, body))


@pytest.mark.parametrize("operation", ASKED, ids=NAMES)
def test_an_error_in_a_success_is_raised_for_every_operation(operation: Operation[Any]) -> None:
    body = b"\n<Error><Code>SlowDown</Code><httpStatusCode>503</httpStatusCode></Error>"
    with pytest.raises(Throttled):
        read_response(operation, Response(200, {"etag": '"e"'}, body))


@pytest.mark.parametrize("cls", [cls for cls in operations() if has_document(cls.spec.result)], ids=lambda c: c.__name__)
def test_the_document_of_another_operation_is_refused(cls: type[Operation[Any]]) -> None:
    @given(instances(cls), st.sampled_from([b"", *OTHERS]))
    def check(operation: Operation[Any], body: bytes) -> None:
        with pytest.raises((ProtocolError, ServiceError)):
            read_response(operation, Response(200, {"ETag": '"e"'}, body))

    check()


@pytest.mark.parametrize("cls", [cls for cls in operations() if not has_document(cls.spec.result)], ids=lambda c: c.__name__)
def test_an_operation_without_document_refuses_that_of_another(cls: type[Operation[Any]]) -> None:
    @given(instances(cls), st.sampled_from(["ListBucketResult", "DeleteResult", "CopyObjectResult", "x:LocationConstraint"]))
    def check(operation: Operation[Any], root: str) -> None:
        with pytest.raises(ProtocolError, match="does not belong to the request: its root element is"):
            read_response(operation, Response(200, {"ETag": '"e"'}, f'<{root} xmlns:x="u"/>'.encode()))

    check()


def test_a_setting_repeated_in_the_response_is_accepted() -> None:
    rules = [{"allowed_methods": ["GET"], "allowed_origins": ["*"]}]
    read_response(PutBucketCors("b", rules), Response(200, {}, b"<CORSConfiguration><CORSRule/></CORSConfiguration>"))  # type: ignore[arg-type]
    read_response(DeleteObject("b", "k"), Response(204, {}, b"<DeleteObjectResponse/>"))
    read_response(DeleteObject("b", "k"), Response(200, {}, b"OK"))


def _of_object(named: str) -> list[tuple[Operation[Any], bytes]]:
    return [
        (CreateMultipartUpload("t:b", "k\r ü+"), f"<InitiateMultipartUploadResult>{named}<UploadId>u</UploadId>"
         "</InitiateMultipartUploadResult>".encode()),
        (ListParts("t:b", "k\r ü+", "u"), f"<ListPartsResult>{named}<UploadId>u</UploadId><IsTruncated>false</IsTruncated>"
         "</ListPartsResult>".encode()),
        (CompleteMultipartUpload("t:b", "k\r ü+", "u", _parts(1)), f"<CompleteMultipartUploadResult>{named}<ETag>e</ETag>"
         "</CompleteMultipartUploadResult>".encode()),
    ]  # fmt: skip


@pytest.mark.parametrize("named", ["<Bucket>c</Bucket>", "<Key>other</Key>", "<Bucket>b</Bucket><Key>k</Key>"])
def test_an_upload_of_another_object_is_refused(named: str) -> None:
    for operation, body in _of_object(named):
        with pytest.raises(ProtocolError, match="it belongs to the"):
            read_response(operation, Response(200, {}, body))


@pytest.mark.parametrize(
    "named", ["", "<Bucket/><Key/>", "<Bucket>b</Bucket>", "<Bucket>t:b</Bucket><Key>k&#13; ü+</Key>", "<Key>k\r ü+</Key>",
             "<Key>k%0D%20%C3%BC%2B</Key>", "<Key>k%0D+%C3%BC%2B</Key>"],
)  # fmt: skip
def test_an_upload_of_the_requested_object_is_accepted(named: str) -> None:
    for operation, body in _of_object(named):
        read_response(operation, Response(200, {}, body))


@pytest.mark.parametrize(("count", "entries", "prefixes", "fits"), [
    (7, 0, 0, False), (2, 1, 0, False), (3, 1, 1, False), (2, 1, 1, True), (1, 1, 1, True), (0, 0, 0, True), (None, 1, 0, True),
])  # fmt: skip
def test_a_page_with_too_few_entries_is_refused(count: int | None, entries: int, prefixes: int, fits: bool) -> None:
    counted = "" if count is None else f"<KeyCount>{count}</KeyCount>"
    listed = "<Contents><Key>a</Key></Contents>" * entries + "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>" * prefixes
    body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{counted}{listed}</ListBucketResult>".encode()
    if fits:
        assert len(read_response(ListObjectsV2("b", delimiter="/"), Response(200, {}, body)).contents) == entries
    else:
        with pytest.raises(ProtocolError, match="entries"):
            read_response(ListObjectsV2("b", delimiter="/"), Response(200, {}, body))


def test_every_root_element_belongs_to_one_kind_of_response() -> None:
    # The response of one operation must not pass for that of another, unless the service uses one document for both.
    shared = {"ListBucketResult", "ListAllMyBucketsResult", "AccessControlPolicy", "Tagging", "CopyObjectResult"}
    roots: dict[str, type[Any]] = {}
    for cls in operations():
        result = cls.spec.result
        if has_document(result):
            for root in (root_of(result), *result.other_roots):
                assert roots.setdefault(root, result) is result or root in shared, root


EMPTY = {
    "ListObjectsV2": b"<ListBucketResult><Name>b</Name></ListBucketResult>",
    "ListObjects": b"<ListBucketResult><IsTruncated/></ListBucketResult>",
    "ListObjectVersions": b"<ListVersionsResult/>",
    "ListMultipartUploads": b"<ListMultipartUploadsResult/>",
    "ListParts": b"<ListPartsResult/>",
    "ListBucketsExtended": b"<ListAllMyBucketsResult/>",
    "GetObjectTagging": b"<Tagging/>",
    "GetBucketProtectionConfiguration": b"<ProtectionConfiguration/>",
    "CopyObject": b"<CopyObjectResult><LastModified>2026-01-01T00:00:00Z</LastModified></CopyObjectResult>",
    "UploadPartCopy": b"<CopyPartResult><ETag/></CopyPartResult>",
    "CreateMultipartUpload": b"<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>",
    "CompleteMultipartUpload": b"<CompleteMultipartUploadResult/>",
    "DeleteObjects": b"<DeleteResult/>",
    "PutObject": b"",
    "UploadPart": b"",
    "HeadObject": b"",
}


@pytest.mark.parametrize("operation", [one for one in ASKED if one.spec.name in EMPTY], ids=lambda o: o.spec.name)
def test_a_response_without_a_required_field_is_refused(operation: Operation[Any]) -> None:
    body = EMPTY[operation.spec.name]
    with pytest.raises(ProtocolError, match=r"request id r-9"):
        read_response(operation, Response(200, {"x-amz-request-id": "r-9"}, body))


def test_fields_that_services_leave_out_are_not_required() -> None:
    # The ETag of a completion may be empty; HEAD has it.
    body = b"<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>"
    assert read_response(CompleteMultipartUpload("b", "k", "u", _parts(1)), Response(200, {}, body)).etag == ""
    # rclone leaves IsTruncated out of the last page of uploads or parts, and uses another root element.
    body = b"<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>"
    assert not read_response(ListMultipartUploads("b"), Response(200, {}, body)).is_truncated
    body = b"<InitiateMultipartUpload><UploadId>u</UploadId></InitiateMultipartUpload>"
    assert read_response(CreateMultipartUpload("b", "k"), Response(200, {}, body)).upload_id == "u"
    # Missing: a list without buckets, a default location, the name and the prefix of a page.
    assert read_response(ListBuckets(), Response(200, {}, b"<ListAllMyBucketsResult/>")).buckets == []
    assert read_response(GetBucketLocation("b"), Response(200, {}, b"<LocationConstraint/>")).location == ""
    body = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    assert read_response(ListObjectsV2("b", prefix="p/"), Response(200, {}, body)).contents == []


@pytest.mark.parametrize(
    ("operation", "inside"),
    [
        (ListObjectsV2("b"), "<Name>other</Name>"),
        (ListObjectsV2("b", prefix="a/"), "<Name>b</Name><Prefix>b/</Prefix>"),
        (ListObjectsV2("b", prefix="a/"), "<Name>b</Name><Prefix/>"),
        (ListObjectsV2("b"), "<Name>b</Name><Prefix>b/</Prefix>"),
        (ListObjectsV2("b", prefix="a/"), "<Contents><Key>b/1</Key></Contents>"),
        (ListObjectsV2("b", prefix="a/"), "<Contents><Key>a/1</Key></Contents><Contents><Key>b/1</Key></Contents>"),
        (ListObjects("b", prefix="a/"), "<Prefix>b/</Prefix>"),
        (ListObjectVersions("b", prefix="a/"), "<Name>c</Name>"),
        (ListObjectVersions("b", prefix="a/"), "<Version><Key>b</Key></Version>"),
        (ListMultipartUploads("b"), "<Bucket>c</Bucket>"),
        (ListMultipartUploads("b", prefix="a/"), "<Bucket>b</Bucket><Upload><Key>b</Key><UploadId>u</UploadId></Upload>"),
        (ListParts("b", "k", "u"), "<UploadId>v</UploadId>"),
        (ListBucketsExtended(prefix="a"), "<Prefix>b</Prefix>"),
    ],
    ids=lambda value: value.spec.name if isinstance(value, Operation) else None,
)
def test_a_page_of_another_listing_is_refused(operation: Operation[Any], inside: str) -> None:
    root = root_of(operation.spec.result)
    body = f"<{root}><IsTruncated>false</IsTruncated>{inside}</{root}>".encode()
    with pytest.raises(ProtocolError, match="does not belong to the request"):
        read_response(operation, Response(200, {}, body))


@pytest.mark.parametrize("prefix", ODD_KEYS, ids=ascii)
@pytest.mark.parametrize("encoding", [None, "url"])
def test_a_page_of_the_requested_listing_is_accepted(prefix: str, encoding: Any) -> None:
    for cls in (ListObjectsV2, ListObjects):
        operation = cls("b", prefix=prefix, encoding_type=encoding)
        page = operation.spec.result(
            name="b", prefix=prefix, encoding_type=encoding, is_truncated=False, contents=[ObjectEntry(key=prefix + "1")]
        )
        try:
            body = page.to_xml()
        except ValueError:
            # The prefix of version 1 is never encoded.
            assert encoding is None or cls is ListObjects
            continue
        assert read_response(operation, Response(200, {}, body)).is_truncated is False
        # Some services declare an encoded page but encode only the keys.
        if encoding == "url" and prefix.isprintable() and not set(prefix) & set("<&>"):
            start = body.index(b"<Prefix>")
            plain = body[:start] + f"<Prefix>{prefix}</Prefix>".encode() + body[body.index(b"</Prefix>") + 9 :]
            read_response(operation, Response(200, {}, plain))


def test_common_prefixes_and_tenants_are_accepted() -> None:
    page = ListObjectsV2.spec.result(name="b", prefix="a/", is_truncated=False, common_prefixes=[CommonPrefix(prefix="a/b/")])
    assert read_response(ListObjectsV2("tenant:b", prefix="a/"), Response(200, {}, page.to_xml())) == page
    extended = BucketPage(is_truncated=False, prefix="")
    assert read_response(ListBucketsExtended(), Response(200, {}, extended.to_xml())) == extended


# ---------------------------------------------------------------------------------------------------------------------
# Deletions


def _deleted(listed: str, *keys: str | ObjectIdentifier, quiet: bool | None = None) -> Any:
    objects = [key if isinstance(key, ObjectIdentifier) else ObjectIdentifier(key=key) for key in keys]
    operation = DeleteObjects("b", Delete(objects=objects, quiet=quiet))
    return read_response(operation, Response(200, {}, f"<DeleteResult>{listed}</DeleteResult>".encode()))


def test_a_deletion_that_leaves_out_a_key_is_refused() -> None:
    a, b = "<Deleted><Key>a</Key></Deleted>", "<Error><Key>b</Key><Code>AccessDenied</Code></Error>"
    assert len(_deleted(a + b, "a", "b").errors) == 1
    for listed, keys in (("", ["a"]), (a, ["a", "b"]), (b, ["a", "b"]), (a + b, ["a", "b", "c", "d", "e", "f"])):
        with pytest.raises(ProtocolError, match="neither Deleted nor Error for"):
            _deleted(listed, *keys)
    with pytest.raises(ProtocolError, match="'c', 'd', 'e' and 1 more"):
        _deleted(a + b, "a", "b", "c", "d", "e", "f")


def test_a_quiet_deletion_lists_only_failures() -> None:
    assert _deleted("", "a", quiet=True).deleted == []
    assert len(_deleted("<Deleted><Key>a</Key></Deleted>", "a", quiet=True).deleted) == 1


def test_versions_are_compared_if_the_response_names_them() -> None:
    one, two = ObjectIdentifier(key="a", version_id="1"), ObjectIdentifier(key="a", version_id="2")
    first = "<Deleted><Key>a</Key><VersionId>1</VersionId></Deleted>"
    _deleted(first + first.replace("1", "2"), one, two)
    _deleted("<Deleted><Key>a</Key></Deleted>", one, two)
    with pytest.raises(ProtocolError, match="'a'"):
        _deleted(first, one, two)
    _deleted(first, "a", "a")


@pytest.mark.parametrize("key", ["a\rb", "a\r\nb", "a\nb", "a&<b", "ü"])
def test_keys_are_compared_with_normalized_line_breaks(key: str) -> None:
    _deleted(f"<Deleted><Key>{key.replace('&', '&amp;').replace('<', '&lt;')}</Key></Deleted>", key)


# ---------------------------------------------------------------------------------------------------------------------
# Messages


@pytest.mark.parametrize(
    ("operation", "headers", "body", "reason"),
    [
        (PutObject("b", "k"), {}, b"", "it has no ETag, which every PutObjectResult has"),
        (PutObject("b", "k"), {"ETag": ""}, b"", "it has no ETag, which every PutObjectResult has"),
        (ListParts("b", "k", "u"), {}, b"<ListPartsResult/>", "it has no UploadId, which every ListPartsResult has"),
        (PutObject("b", "k"), {"ETag": "e"}, b"<html>", "it is a web page"),
        (
            GetBucketCors("b"), {"x-amz-request-id": "r"}, b"<Other/>",
            "its root element is Other, not CORSConfiguration (request id r)",
        ),
        (GetBucketCors("b"), {}, b"<" + b"O" * 100 + b"/>", f"its root element is {'O' * 80}, not CORSConfiguration"),
    ],
)  # fmt: skip
def test_the_error_has_the_reason(operation: Operation[Any], headers: dict[str, str], body: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_response(operation, Response(200, headers, body))
    assert str(caught.value) == f"the response (status 200) does not belong to the request: {reason}"


@pytest.mark.parametrize(
    "body",
    [
        b"<CORSConfiguration/>",
        b"<x:CORSConfiguration xmlns:x='u'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?> <!-- a\n --><CORSConfiguration/>",
    ],
)  # fmt: skip
def test_the_root_element_is_found_after_declarations_and_comments(body: bytes) -> None:
    assert read_response(GetBucketCors("b"), Response(200, {}, body)).rules == []


def test_an_unexpected_body_is_ignored() -> None:
    assert read_response(PutObject("b", "k"), Response(200, {"ETag": "e"}, b"<Any/>")).etag == "e"
    # Without a root element, the codec reports the error.
    with pytest.raises(ProtocolError, match="is not a CorsConfiguration: not well-formed"):
        read_response(GetBucketCors("b"), Response(200, {}, b"text"))
