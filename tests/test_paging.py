"""The start of the next page of each listing, and the end of a listing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.recorded import Recorded, in_turn

from aiocos.errors import ProtocolError
from aiocos.groups import Buckets, Multipart, Objects, Replication
from aiocos.operations.buckets import BucketEntry, BucketPage
from aiocos.operations.listing import (
    CommonPrefix,
    DeleteMarker,
    ListObjectsResult,
    ListObjectsV2Result,
    ListObjectVersionsResult,
    ObjectEntry,
    ObjectVersion,
)
from aiocos.operations.multipart import ListMultipartUploadsResult, ListPartsResult, Part, UploadEntry
from aiocos.operations.replication import ReplicationFailures


def _uploads(*pairs: tuple[str, str]) -> list[UploadEntry]:
    return [UploadEntry(key=key, upload_id=upload_id) for key, upload_id in pairs]


def _entries(*keys: str) -> list[ObjectEntry]:
    return [ObjectEntry(key=key) for key in keys]


def _asked(group: Any, name: str, *arguments: Any) -> Any:
    return lambda engine: getattr(group(engine), name)(*arguments)


LIST_V2 = _asked(Objects, "list", "b")
LIST_V1 = _asked(Objects, "list_v1", "b")
VERSIONS = _asked(Objects, "list_versions", "b")
PARTS = _asked(Multipart, "list_parts", "b", "k", "u")
UPLOADS = _asked(Multipart, "list_uploads", "b")
BUCKETS = _asked(Buckets, "list_extended")
FAILURES = _asked(Replication, "failures", "b")

# A listing, a page of it that is not the last, and what the request for the next page says.
NEXT: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "objects": (LIST_V2, ListObjectsV2Result(next_continuation_token="t"), {"continuation_token": "t", "start_after": None}),
    "objects (1), as told": (LIST_V1, ListObjectsResult(contents=_entries("a"), next_marker="m"), {"marker": "m"}),
    "objects (1), a key last": (
        LIST_V1,
        ListObjectsResult(contents=_entries("a", "c"), common_prefixes=[CommonPrefix(prefix="b/")]),
        {"marker": "c"},
    ),
    "objects (1), a prefix last": (
        LIST_V1,
        ListObjectsResult(contents=_entries("a"), common_prefixes=[CommonPrefix(prefix="b/"), CommonPrefix(prefix="d/")]),
        {"marker": "d/"},
    ),
    # In the order of the service, U+FFFD comes before the characters of four bytes.
    "objects (1), by bytes": (
        LIST_V1,
        ListObjectsResult(contents=_entries("\U00010000"), common_prefixes=[CommonPrefix(prefix="\ufffd/")]),
        {"marker": "\U00010000"},
    ),
    "versions": (
        VERSIONS,
        ListObjectVersionsResult(next_key_marker="k", next_version_id_marker="v"),
        {"key_marker": "k", "version_id_marker": "v"},
    ),
    "parts, as told": (
        PARTS,
        ListPartsResult(next_part_number_marker=3, parts=[Part(part_number=2)]),
        {"part_number_marker": 3},
    ),
    "parts": (PARTS, ListPartsResult(parts=[Part(part_number=2), Part(part_number=5)]), {"part_number_marker": 5}),
    "uploads, as told": (
        UPLOADS,
        ListMultipartUploadsResult(next_key_marker="k", next_upload_id_marker="u", uploads=_uploads(("a", "1"))),
        {"key_marker": "k", "upload_id_marker": "u"},
    ),
    "uploads": (
        UPLOADS,
        ListMultipartUploadsResult(uploads=_uploads(("a", "1"), ("b", "2"))),
        {"key_marker": "b", "upload_id_marker": "2"},
    ),
    "buckets": (BUCKETS, BucketPage(buckets=[BucketEntry(name="a"), BucketEntry(name="b")]), {"marker": "b"}),
    "failures": (FAILURES, ReplicationFailures(next_continuation_token="t"), {"continuation_token": "t"}),
}


@pytest.mark.parametrize(("listing", "page", "said"), NEXT.values(), ids=NEXT)
async def test_the_next_page_begins_where_this_one_ends(listing: Any, page: Any, said: dict[str, Any]):
    first, last = page.model_copy(update={"is_truncated": True}), type(page).model_construct(is_truncated=False)
    engine = Recorded(in_turn(first, last))
    assert [one async for one in listing(engine).pages()] == [first, last]
    asked, following = engine.operations
    assert {name: getattr(following, name) for name in said} == said
    assert type(asked) is type(following)
    others = [p.name for p in following.spec.parameters if p.name not in said]
    assert all(getattr(asked, name) == getattr(following, name) for name in others)


@pytest.mark.parametrize(("listing", "page", "said"), NEXT.values(), ids=NEXT)
async def test_a_page_that_is_not_truncated_is_the_last(listing: Any, page: Any, said: dict[str, Any]):
    engine = Recorded(in_turn(page))
    assert [one async for one in listing(engine).pages()] == [page]


@pytest.mark.parametrize(("listing", "page", "said"), NEXT.values(), ids=NEXT)
async def test_a_listing_that_turns_in_a_circle_ends(listing: Any, page: Any, said: dict[str, Any]):
    endless = page.model_copy(update={"is_truncated": True})
    engine = Recorded(lambda _: endless)
    with pytest.raises(ProtocolError, match="the page names a page that was read already"):
        async for _ in listing(engine).pages():
            assert len(engine.operations) < 5


EMPTY = [
    (LIST_V2, ListObjectsV2Result()),
    (LIST_V1, ListObjectsResult()),
    (VERSIONS, ListObjectVersionsResult()),
    (PARTS, ListPartsResult()),
    (UPLOADS, ListMultipartUploadsResult()),
    (BUCKETS, BucketPage()),
    (FAILURES, ReplicationFailures()),
]


@pytest.mark.parametrize(("listing", "page"), EMPTY, ids=lambda value: type(value).__name__)
async def test_a_page_that_does_not_say_how_to_go_on_ends_the_listing(listing: Any, page: Any):
    engine = Recorded(in_turn(page.model_copy(update={"is_truncated": True})))
    with pytest.raises(ProtocolError, match=r"^\w+( b(/k)?)?: the page says that there are more entries"):
        async for _ in listing(engine).pages():
            pass


@pytest.mark.parametrize(
    ("listing", "first", "second"),
    [
        (VERSIONS, {"next_key_marker": "k", "next_version_id_marker": "1"}, {"next_version_id_marker": "2"}),
        (UPLOADS, {"next_key_marker": "k", "next_upload_id_marker": "1"}, {"next_upload_id_marker": "2"}),
    ],
    ids=["versions", "uploads"],
)
async def test_pages_within_one_key_are_different_pages(listing: Any, first: dict[str, Any], second: dict[str, Any]):
    kind = ListObjectVersionsResult if listing is VERSIONS else ListMultipartUploadsResult
    pages = [kind(is_truncated=True, **first), kind(is_truncated=True, **first | second), kind()]
    engine = Recorded(in_turn(*pages))
    assert [one async for one in listing(engine).pages()] == pages


def _version(key: str, version_id: str, *, latest: bool, second: int | None = None, marker: bool = False) -> Any:
    kind = DeleteMarker if marker else ObjectVersion
    modified = None if second is None else datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC)
    return kind(key=key, version_id=version_id, is_latest=latest, last_modified=modified)


async def test_versions_and_markers_come_by_key_the_latest_first():
    ordered = [
        _version("a", "latest", latest=True, second=3),
        _version("a", "marker", latest=False, second=9, marker=True),
        _version("a", "newer", latest=False, second=5),
        _version("a", "older", latest=False, second=4),
        _version("a", "no time", latest=False),
        _version("b", "marker", latest=True, second=1, marker=True),
        _version("b", "newer", latest=False, second=8),
        _version("\ufffd", "v", latest=True),
        _version("\U00010000", "v", latest=True),
    ]
    versions = [one for one in reversed(ordered) if isinstance(one, ObjectVersion)]
    markers = [one for one in reversed(ordered) if isinstance(one, DeleteMarker)]
    engine = Recorded(in_turn(ListObjectVersionsResult(versions=versions, delete_markers=markers)))
    assert [one async for one in VERSIONS(engine)] == ordered
