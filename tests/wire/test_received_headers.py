"""Headers of a known form: a mapping like aiohttp's, and results equal to those of the general path."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from aiocos.operations.buckets import BucketInfo
from aiocos.operations.objects import ObjectInfo, PutObjectResult
from aiocos.wire import bind
from aiocos.wire.bind import from_response
from aiocos.wire.message import Response
from aiocos.wire.received_headers import FormedHeaders, HeadForm

PAIRS = [("Server", "s"), ("ETag", '"e"'), ("x-amz-request-id", "r1"), ("X-Other", "1"), ("x-other", "2")]
USUAL = [
    ("ETag", '"e"'),
    ("Content-Length", "12"),
    ("Last-Modified", "Fri, 20 Nov 2026 10:00:00 GMT"),
    ("x-amz-request-id", "r"),
]


def formed(pairs: list[tuple[str, str]], status: int = 200) -> FormedHeaders:
    lines = "".join(f"\r\n{name}: {value}" for name, value in pairs)
    head = f"HTTP/1.1 {status} OK{lines}" + ("" if "Content-Length" in dict(pairs) else "\r\nContent-Length: 0") + "\r\n\r\n"
    form = HeadForm.of(head, {"etag": "ETag"})
    assert form is not None
    found = form.match(head)
    assert found is not None
    return FormedHeaders(form, found.groups())


def test_mapping_is_like_that_of_aiohttp() -> None:
    ours, theirs = formed(PAIRS), CIMultiDictProxy(CIMultiDict([*PAIRS, ("Content-Length", "0")]))
    assert list(ours.items()) == list(theirs.items())
    # Earlier versions of aiohttp's mapping iterate over repeated names in all their spellings.
    assert [name.lower() for name in ours] == list(dict.fromkeys(name.lower() for name in theirs))
    assert len(ours) == len(theirs)
    assert dict(ours) == {name: theirs[name] for name in ours}
    assert ours == theirs
    assert ours != formed(PAIRS[1:])
    assert ours != 1
    for name in ("etag", "ETAG", "X-OTHER", "missing"):
        assert ours.get(name) == theirs.get(name)
        assert ours.get(name, "d") == theirs.get(name, "d")
        assert (name in ours) == (name in theirs)
    assert ours["x-OTHER"] == theirs["x-OTHER"] == "1"
    assert 1 not in ours
    with pytest.raises(KeyError):
        ours["missing"]
    assert "ETag" in repr(ours)


def test_names_are_spelled_as_usual() -> None:
    assert list(formed([("etag", "e")])) == ["ETag", "Content-Length"]


def test_index_does_not_grow_without_limit() -> None:
    headers = formed(PAIRS)
    for n in range(1_000):
        assert headers.get(f"missing-{n}") is None
    assert len(headers.form._index) < 300


@pytest.mark.parametrize("cls", [ObjectInfo, PutObjectResult, BucketInfo])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"x-clv-request-id": "c"},
        {"x-amz-meta-a": "b"},
        {"Last-Modified": "Sun Nov 20 10:00:00 2026"},
        {"Last-Modified": "2026-11-20T10:00:00Z"},
        {"x-amz-missing-meta": "-1"},
        {"x-amz-missing-meta": "1" * 30},
        {"x-amz-delete-marker": "true"},
        {"x-amz-delete-marker": "1"},
        {"etag": '"second"'},
        {"x-amz-version-id": "v", "x-unknown": "u"},
    ],
    ids=str,
)
def test_result_equals_that_of_the_general_path(cls: type, change: dict[str, str]) -> None:
    pairs = [*(pair for pair in USUAL if pair[0] not in change), *change.items()]
    quick = from_response(cls, Response(200, formed(pairs)))
    general = from_response(cls, Response(200, CIMultiDict(pairs)))
    assert quick == general
    assert repr(quick) == repr(general)
    assert quick.model_fields_set == general.model_fields_set
    assert list(quick.__dict__) == list(general.__dict__)
    assert quick.model_copy() == general


def test_result_of_a_usual_head_needs_no_general_path(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = formed(USUAL)
    monkeypatch.setattr(bind, "_read_headers", None)
    info = from_response(ObjectInfo, Response(200, headers))
    assert (info.etag, info.size, info.request_id, info.metadata) == ('"e"', 12, "r", {})
    assert from_response(ObjectInfo, Response(200, headers)).metadata is not info.metadata


def test_malformed_header_raises_the_same_error() -> None:
    pairs = [*USUAL[:1], ("Content-Length", "1"), ("x-amz-missing-meta", "many")]
    with pytest.raises(Exception, match="ObjectInfo") as quick:
        from_response(ObjectInfo, Response(200, formed(pairs)))
    with pytest.raises(Exception, match="ObjectInfo") as general:
        from_response(ObjectInfo, Response(200, CIMultiDict(pairs)))
    assert (type(quick.value), str(quick.value)) == (type(general.value), str(general.value))
