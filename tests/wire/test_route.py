"""Tests of `aiocos.wire.route`: the operation of a request, and requests without an operation."""

from __future__ import annotations

from typing import Any

import pytest

from aiocos.errors import OperationNotSupported
from aiocos.operations.buckets import ListBuckets, ListBucketsExtended
from aiocos.operations.listing import ListObjects, ListObjectsV2
from aiocos.operations.multipart import ListParts, UploadPart, UploadPartCopy
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
def test_route_finds_the_operation(
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
        ("PATCH", "b", "k", "PATCH on a key is not supported"),
        ("PATCH", "b", None, "PATCH on a bucket is not supported"),
        ("PATCH", None, None, "PATCH on the service is not supported"),
    ],
)
def test_unsupported_methods_are_refused(method: str, bucket: str | None, key: str | None, text: str) -> None:
    with pytest.raises(OperationNotSupported, match=text) as caught:
        route(Request(method, bucket, key))
    assert (caught.value.status, caught.value.code) == (501, "NotImplemented")


def test_other_sub_resources_are_refused() -> None:
    for method in ("PUT", "DELETE"):
        with pytest.raises(OperationNotSupported, match="the sub-resource torrent is not supported with") as caught:
            route(Request(method, "b", "k", [("a", ""), ("torrent", "")]))
        assert (caught.value.status, caught.value.code) == (501, "NotImplemented")
        with pytest.raises(OperationNotSupported, match="partNumber"):
            route(Request(method, "b", "k", [("partNumber", "1")]))
    with pytest.raises(OperationNotSupported, match=r"acl|tagging"):
        route(Request("GET", "b", "k", [("acl", ""), ("tagging", "")]))


def _route(method: str, key: str | None, query: str, **headers: str) -> type[Any]:
    pairs = [(n, v) for n, _, v in (part.partition("=") for part in query.split("&") if part)]
    return route(Request(method, "b", key, pairs, {n.replace("_", "-"): v for n, v in headers.items()}))


def test_the_operation_with_most_discriminators_wins() -> None:
    part = "uploadId=1&partNumber=2"
    assert _route("PUT", "k", "") is PutObject
    assert _route("PUT", "k", "", x_amz_copy_source="a/b") is CopyObject
    assert _route("PUT", "k", part) is UploadPart
    assert _route("PUT", "k", part, x_amz_copy_source="a/b") is UploadPartCopy
    assert _route("GET", "k", "partNumber=2") is GetObject
    assert _route("HEAD", "k", "partNumber=2") is HeadObject
    assert _route("GET", "k", "uploadId=1") is ListParts
    assert _route("GET", "k", "X-Amz-Signature=1&response-content-type=a") is GetObject


@pytest.mark.parametrize(
    ("method", "key", "query"),
    [
        ("PUT", "k", "torrent"), ("DELETE", "k", "select"), ("PUT", "k", "partNumber=1"), ("PUT", "k", "uploadId=1"),
        ("PUT", None, "policy"), ("DELETE", None, "policy"), ("GET", None, "inventory"), ("POST", "k", ""), ("POST", None, ""),
        ("PATCH", "k", ""), ("DELETE", "k", "partNumber=1"),
    ],
)  # fmt: skip
def test_unsupported_sub_resources_are_refused(method: str, key: str | None, query: str) -> None:
    # The plain operation would empty the object or delete it.
    with pytest.raises(OperationNotSupported) as caught:
        _route(method, key, query)
    assert (caught.value.status, caught.value.code) == (501, "NotImplemented")
