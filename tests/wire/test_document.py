"""Tests of `aiocos.wire.document`: refused documents, ignored elements, times and empty elements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.errors import InvalidRequest, NoSuchKey, ProtocolError, ServiceError, Throttled
from aiocos.operations.acl import AccessControlPolicy, Grant
from aiocos.operations.buckets import BucketEntry, BucketList, BucketLocation
from aiocos.operations.listing import ListObjectsV2Result
from aiocos.operations.multipart import CompletedUpload
from aiocos.operations.objects import CopyObjectResult, Delete, DeleteObjectsResult
from aiocos.operations.shared import Grantee, Owner
from aiocos.wire.bind import from_request, from_response
from aiocos.wire.document import Document, XmlError, write_time
from aiocos.wire.message import Request, Response
from aiocos.wire.route import route

_BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><Owner><ID>&z;</ID></Owner>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037"])
def test_a_document_type_is_refused_in_any_encoding(encoding: str) -> None:
    declared = _BOMB.replace('"1.0"', f'"1.0" encoding="{encoding}"')
    for text in (_BOMB, declared):
        with pytest.raises(XmlError):
            Owner.from_xml(text.encode(encoding))


def test_a_document_type_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(XmlError, match="document type"):
        Owner.from_xml(b"<!DOCTYPE a><Owner><ID>1</ID></Owner>")


@pytest.mark.parametrize(
    "data", [b"", b" ", b"<", b"<Owner>", b"<Owner></owner>", b"{}", b"\xff\xfe", b"<Owner><ID>\x01</ID></Owner>"]
)
def test_malformed_xml_is_refused(data: bytes) -> None:
    with pytest.raises(XmlError, match="not well-formed"):
        Owner.from_xml(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<Owner><ID>1</ID></Owner>",
        b'<Owner xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ID>1</ID></Owner>',
        b'<a:Owner xmlns:a="urn:any"><a:ID>1</a:ID></a:Owner>',
        b"<Anything><ID>1</ID></Anything>",
        b"<Owner><Unknown><ID>2</ID></Unknown><ID>1</ID><More/></Owner>",
        b"\xef\xbb\xbf<Owner><!-- c --><ID>1</ID><?pi?></Owner>",
        b"<Owner><ID><![CDATA[1]]></ID></Owner>",
        b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<Owner><ID>1</ID></Owner>',
    ],
)
def test_root_namespace_and_unknown_elements_are_ignored(data: bytes) -> None:
    assert Owner.from_xml(data) == Owner(id="1")


def test_an_empty_element_is_an_empty_string_but_not_a_number() -> None:
    page = ListObjectsV2Result.from_xml(
        b"<L><Prefix/><Delimiter></Delimiter><MaxKeys/><Contents><Key/><Size>3</Size></Contents></L>"
    )
    assert (page.prefix, page.delimiter, page.max_keys) == ("", "", None)
    assert page.contents[0].key == ""


def test_white_space_is_kept_in_strings_and_stripped_from_numbers() -> None:
    page = ListObjectsV2Result.from_xml(b"<L><Prefix> a </Prefix><MaxKeys>\n 5 \n</MaxKeys></L>")
    assert (page.prefix, page.max_keys) == (" a ", 5)


_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", _MOMENT),
        ("2026-01-02T03:04:05.678Z", _MOMENT.replace(microsecond=678000)),
        ("2026-01-02T05:04:05+02:00", _MOMENT),
        ("2026-01-02T03:04:05", _MOMENT),
        ("20260102T030405Z", _MOMENT),
        ("Fri, 02 Jan 2026 03:04:05 GMT", _MOMENT),
        ("Fri, 02 Jan 2026 03:04:05 -0000", _MOMENT),
        ("Fri, 02 Jan 2026 05:04:05 +0200", _MOMENT),
    ],
)
def test_times_are_read_in_every_form_and_have_a_zone(text: str, moment: datetime) -> None:
    entry = BucketEntry.from_xml(f"<Bucket><Name>b</Name><CreationDate>{text}</CreationDate></Bucket>".encode())
    assert entry.creation_date == moment
    assert entry.creation_date is not None
    assert entry.creation_date.tzinfo is not None


def test_times_are_written_in_utc() -> None:
    assert write_time(datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02T03:04:05Z"
    assert write_time(_MOMENT.replace(microsecond=678901)) == "2026-01-02T03:04:05.678Z"


@given(st.text(max_size=30))
def test_any_malformed_time_is_an_xml_error(text: str) -> None:
    try:
        BucketEntry.from_xml(BucketEntry.model_construct(name="b", creation_date=text).to_xml())
    except XmlError:
        pass


@pytest.mark.parametrize("field", ["MaxKeys", "KeyCount", "IsTruncated"])
def test_the_error_names_a_field_of_the_wrong_type(field: str) -> None:
    data = f"<ListBucketResult><{field}>many</{field}></ListBucketResult>".encode()
    with pytest.raises(XmlError, match=r"ListObjectsV2Result: (max_keys|key_count|is_truncated)"):
        ListObjectsV2Result.from_xml(data)
    with pytest.raises(ProtocolError, match=r"the response \(status 200\) is not a ListObjectsV2Result: .*\(request id r-1\)"):
        from_response(ListObjectsV2Result, Response(200, {"x-clv-request-id": "r-1"}, data))


@pytest.mark.parametrize("body", [b"", b"<html>", b"OK"])
def test_a_success_without_its_document_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        from_response(CopyObjectResult, Response(200, {}, body))


def test_a_wrapped_list_and_a_list_of_the_same_name() -> None:
    listed = BucketList.from_xml(
        b"<L><Buckets><Bucket><Name>a</Name></Bucket><Other/><Bucket><Name>b</Name></Bucket></Buckets></L>"
    )
    assert [b.name for b in listed.buckets] == ["a", "b"]
    assert b"<Buckets></Buckets>" in BucketList().to_xml()


def test_text_of_the_root_element() -> None:
    location = BucketLocation.from_xml(b"<LocationConstraint>us-south-smart</LocationConstraint>")
    assert location.location == "us-south-smart"
    assert BucketLocation.from_xml(b"<LocationConstraint/>").location == ""


@pytest.mark.parametrize("kind", ["CanonicalUser", "", "a\nb\tc", "\"'<>&"])
def test_an_attribute_keeps_every_character(kind: str) -> None:
    policy = AccessControlPolicy(grants=[Grant(grantee=Grantee(type=kind, id="1"), permission="READ")])
    assert AccessControlPolicy.from_xml(policy.to_xml()) == policy


def test_carriage_returns_survive_writing_and_parsing() -> None:
    assert b"<ID>a&#13;b&#13;\n</ID>" in Owner(id="a\rb\r\n").to_xml()


def test_documents_are_frozen_and_closed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Owner(id="1").id = "2"  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        Owner(nobody="1")  # type: ignore[call-arg]


def test_two_fields_for_one_element_are_refused() -> None:
    class Twice(Document):
        max_keys: int | None = None
        maxKeys: int | None = None

    class Clash(Document):
        a_b: str = ""
        a__b: str = ""

    Twice().to_xml()
    with pytest.raises(TypeError, match="two fields use the element <AB>"):
        Clash().to_xml()


# ---------------------------------------------------------------------------------------------------------------------
# Errors in successful responses


@pytest.mark.parametrize(
    "prolog",
    [
        b"",
        b'<?xml version="1.0" encoding="UTF-8"?>\n',
        b"\n\n",
        b" " * 5000,
        b'<?xml version="1.0"?>' + b"\n" * 5000,
        b"\xef\xbb\xbf",
    ],
)
@pytest.mark.parametrize("result", [CopyObjectResult, CompletedUpload, DeleteObjectsResult])
def test_a_200_may_be_an_error(result: type[CopyObjectResult], prolog: bytes) -> None:
    body = prolog + b"<Error><Code>SlowDown</Code><httpStatusCode>503</httpStatusCode></Error>"
    with pytest.raises(ServiceError) as caught:
        from_response(result, Response(200, {"x-amz-request-id": "r-2"}, body))
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("SlowDown", 503, "r-2")


def test_an_unknown_error_in_a_200_is_a_server_error() -> None:
    body = b"<Error><Code>Strange</Code></Error>"
    with pytest.raises(ServiceError) as caught:
        from_response(CompletedUpload, Response(200, {}, body))
    assert caught.value.status == 500


def test_a_key_that_contains_the_word_error_is_not_an_error() -> None:
    page = b"<ListBucketResult><Contents><Key>&lt;Error></Key></Contents></ListBucketResult>"
    assert from_response(ListObjectsV2Result, Response(200, {}, page)).contents[0].key == "<Error>"
    deleted = b"<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    assert from_response(DeleteObjectsResult, Response(200, {}, deleted)).errors[0].code == "AccessDenied"
    other = b"<ErrorDocumentX><ETag>1</ETag></ErrorDocumentX>"
    assert from_response(CopyObjectResult, Response(200, {}, other)).etag == "1"


def test_the_code_of_an_error_in_a_200_selects_its_class() -> None:
    with pytest.raises(NoSuchKey):
        from_response(CopyObjectResult, Response(200, {}, b"<Error><Code>NoSuchKey</Code></Error>"))


# ---------------------------------------------------------------------------------------------------------------------
# Request bodies


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "MissingRequestBodyError"), (b"<Delete>", "MalformedXML"), (b"<Delete><Object/></Delete>", "MalformedXML"),
     (_BOMB.encode(), "MalformedXML"), (b"<Delete/>", "MalformedXML")],
)  # fmt: skip
def test_a_request_body_that_does_not_fit_is_malformed_xml(body: bytes, code: str) -> None:
    request = Request("POST", "b", None, [("delete", "")], {}, body)
    with pytest.raises(InvalidRequest) as caught:
        from_request(route(request), request)
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_children_may_have_any_order() -> None:
    request = Request(
        "POST",
        "b",
        None,
        [("delete", "")],
        {},
        b"<Delete><Object><VersionId>v</VersionId><Key>a</Key></Object><Quiet>True</Quiet></Delete>",
    )
    delete = from_request(route(request), request).delete  # type: ignore[attr-defined]
    assert delete == Delete.model_validate({"objects": [{"key": "a", "version_id": "v"}], "quiet": True})


# White space comes first if the service kept the connection open during a long copy or completion.
def test_a_result_after_white_space_and_a_declaration() -> None:
    body = b'\n  \n<?xml version="1.0"?><CopyObjectResult><ETag>"x"</ETag></CopyObjectResult>'
    assert from_response(CopyObjectResult, Response(200, {}, body)).etag == '"x"'


def test_an_error_after_white_space_and_a_declaration() -> None:
    body = b" \n" * 5000 + b'<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>'
    with pytest.raises(Throttled):
        from_response(CopyObjectResult, Response(200, {}, body))
