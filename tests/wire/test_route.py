"""From a request to the operation that it means, and what no operation means."""

from __future__ import annotations

from typing import Any

import pytest

from aiocos.errors import OperationNotSupported
from aiocos.operations.buckets import ListBuckets, ListBucketsExtended
from aiocos.operations.listing import ListObjects, ListObjectsV2
from aiocos.operations.objects import CopyObject, DeleteObjects, GetObject, HeadObject, PutObject
from aiocos.wire.message import Request
from aiocos.wire.route import SUB_RESOURCES, route


@pytest.mark.parametrize(
    ("method", "bucket", "key", "query", "headers", "cls"),
    [
        ("GET", None, None, [], {}, ListBuckets),
        ("GET", None, None, [("extended", "")], {}, ListBucketsExtended),
        ("GET", "b", None, [], {}, ListObjects),
        ("GET", "b", None, [("list-type", "2")], {}, ListObjectsV2),
        ("GET", "b", None, [("list-type", "1")], {}, ListObjects),
        ("POST", "b", None, [("delete", "")], {}, DeleteObjects),
        ("PUT", "b", "k", [], {"X-Amz-Copy-Source": "s/k"}, CopyObject),
        ("PUT", "b", "k", [("other", "x")], {"other": "x"}, PutObject),
        ("GET", "b", "k", [("partNumber", "1"), ("versionId", "v")], {}, GetObject),
        ("HEAD", "b", "k", [("partNumber", "1")], {}, HeadObject),
    ],
)
def test_what_a_request_means(
    method: str, bucket: str | None, key: str | None, query: list[tuple[str, str]], headers: dict[str, str], cls: type[Any]
) -> None:
    assert route(Request(method, bucket, key, query, headers)) is cls


@pytest.mark.parametrize("name", sorted(SUB_RESOURCES - {"partNumber"}))
def test_no_sub_resource_falls_through_to_the_plain_object(name: str) -> None:
    for method, plain in (("GET", GetObject), ("HEAD", HeadObject)):
        try:
            assert route(Request(method, "b", "k", [(name, "")])) is not plain
        except OperationNotSupported as error:
            assert name in str(error)  # noqa: PT017 - some are served, and none of them as the plain object


@pytest.mark.parametrize(
    ("method", "bucket", "key", "text"),
    [
        ("PATCH", "b", "k", "PATCH of a key is not served"),
        ("PATCH", "b", None, "PATCH of a bucket is not served"),
        ("PATCH", None, None, "PATCH of the service is not served"),
    ],
)
def test_what_is_not_served_is_said(method: str, bucket: str | None, key: str | None, text: str) -> None:
    with pytest.raises(OperationNotSupported, match=text) as caught:
        route(Request(method, bucket, key))
    assert (caught.value.status, caught.value.code) == (501, "NotImplemented")


def test_what_is_left_over_is_refused_with_its_code() -> None:
    for method in ("PUT", "DELETE"):
        with pytest.raises(OperationNotSupported, match="the sub-resource torrent is not served with") as caught:
            route(Request(method, "b", "k", [("a", ""), ("torrent", "")]))
        assert (caught.value.status, caught.value.code) == (501, "NotImplemented")
        with pytest.raises(OperationNotSupported, match="partNumber"):
            route(Request(method, "b", "k", [("partNumber", "1")]))
    with pytest.raises(OperationNotSupported, match=r"acl|tagging"):
        route(Request("GET", "b", "k", [("acl", ""), ("tagging", "")]))
