"""Variants of operations: keys that stay encoded, bodies that are left out."""

from __future__ import annotations

import pytest
from tests.ibm_boto3.both_clients import OURS, BothClients
from tests.parity.test_every_operation import PLAIN

from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.variants import with_encoded_keys, with_optional_body
from aiocos.wire.bind import to_request


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", ["list_objects_v2", "list_objects", "list_object_versions"])
async def test_keys_stay_encoded_if_the_caller_asks_for_it(method: str, both_with_odd_keys: BothClients) -> None:
    first = "Versions" if method == "list_object_versions" else "Contents"
    arguments = {"Bucket": PLAIN, "Prefix": "odd"}
    keys = {entry["Key"] for entry in (await both_with_odd_keys.call_client(method, arguments))[first]}
    assert keys == {"odd key ü+%", "odd!", "odd/1 2", "odd/ü"}
    encoded = await both_with_odd_keys.call_client(method, {**arguments, "EncodingType": "url"})
    theirs = await both_with_odd_keys.call_sdk(method, {**arguments, "EncodingType": "url"})
    assert [entry["Key"] for entry in encoded[first]] == [entry["Key"] for entry in theirs[first]]
    assert keys & {entry["Key"] for entry in encoded[first]} == set()
    # Page by page it is all of them, each once. The SDK names the next page by the encoded key, and skips `odd!`.
    pages = both_with_odd_keys.client.get_paginator(method).paginate(
        **both_with_odd_keys.arguments(arguments, OURS), EncodingType="url", PaginationConfig={"PageSize": 1}
    )
    assert [entry["Key"] async for page in pages for entry in page[first]] == [entry["Key"] for entry in encoded[first]]


def test_a_document_may_be_left_out_with_the_checksum_of_nothing() -> None:
    cls = OPERATIONS["put_object_retention"]
    variant = with_optional_body(cls)
    request = to_request(variant(bucket="b", key="k", retention=None))
    assert request.body in (None, b"")
    assert request.headers["Content-MD5"] == "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert variant.spec.name == cls.spec.name
    assert with_optional_body(cls) is variant
    assert cls.spec.body is not None
    assert cls.spec.body.required


def test_a_variant_of_a_listing_leaves_keys_encoded() -> None:
    cls = OPERATIONS["list_objects_v2"]
    document = (
        b"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
        b"<Contents><Key>a%2Fb+c</Key></Contents></ListBucketResult>"
    )
    decoded = cls.spec.result.model_validate(cls.spec.result.read(document))
    encoded_type = with_encoded_keys(cls).spec.result
    encoded = encoded_type.model_validate(encoded_type.read(document))
    assert [entry.key for entry in decoded.contents] == ["a/b c"]
    assert [entry.key for entry in encoded.contents] == ["a%2Fb+c"]
