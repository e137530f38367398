"""Representations of results and documents show what is set."""

from aiocos.operations.buckets import AsperaConnection, AsperaKey
from aiocos.operations.listing import ListObjectsV2Result, ObjectEntry
from aiocos.operations.objects import ObjectInfo, PutObjectResult
from aiocos.operations.website import IndexDocument, WebsiteConfiguration
from aiocos.transfer import DirectoryResult, FileError, UploadResult


def test_a_result_shows_the_fields_that_are_set():
    assert repr(PutObjectResult(etag='"e"', request_id="r")) == "PutObjectResult(request_id='r', etag='\"e\"')"
    assert repr(ObjectInfo(metadata={"a": "b"}, content_length=0, delete_marker=False)) == (
        "ObjectInfo(content_length=0, metadata={'a': 'b'}, delete_marker=False)"
    )
    assert repr(WebsiteConfiguration(index_document=IndexDocument(suffix="i"))) == (
        "WebsiteConfiguration(index_document=IndexDocument(suffix='i'))"
    )


def test_long_lists_show_their_first_entries():
    entries = [ObjectEntry(key=str(n), size=n) for n in range(1_234)]
    shown = repr(ListObjectsV2Result(contents=entries))
    assert shown.startswith("ListObjectsV2Result(is_truncated=False, contents=[ObjectEntry(key='0', size=0), ")
    assert shown.endswith("ObjectEntry(key='2', size=2), … 1,231 more])")
    assert "more" not in repr(ListObjectsV2Result(contents=entries[:3]))


def test_secrets_are_not_shown():
    shown = repr(AsperaConnection(access_key=AsperaKey(id="id", secret="not shown"), ats_endpoint="https://ats"))
    assert shown == "AsperaConnection(access_key=AsperaKey(id='id'), ats_endpoint='https://ats')"


def test_results_of_transfers():
    result = UploadResult(bucket="b", key="k", etag="e", size=1, parts=0)
    assert repr(result) == "UploadResult(bucket='b', key='k', etag='e', size=1, parts=0, resumed_bytes=0)"
    errors = [FileError(path=str(n), key="k", error="e") for n in range(10)]
    assert "… 7 more" in repr(DirectoryResult(files=1, bytes=1, errors=errors))
