"""The same calls through IBM's SDK and through this library, against one emulator, give equal dictionaries.

Each side has a world of its own there, built alike; what is new in every call (ids, times) is compared by its type.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.ibm_boto3.both_clients import OURS, THEIRS, BothClients, differences
from tests.parity.test_every_operation import CASES, PROTECTED

from aiocos.ibm_boto3 import names

# What only one side says, by the operation; everything else is equal.
THEIRS_ALONE = {
    "GetObject": ("ResponseMetadata", "ChecksumAlgorithm"),  # which checksum the SDK looked at: here all that there are
}
OURS_ALONE = {
    "ListMultipartUploads": ("EncodingType",),  # uploads have keys that XML cannot carry too; the SDK does not ask for it
    "ListBucketReplicationFailures": ("ListReplicationFailureResult", "EncodingType"),  # the same
}


def _without(answer: dict[str, Any], path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        answer = answer[name]
    del answer[path[-1]]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", CASES)
async def test_responses_are_equal(name: str, both: BothClients) -> None:
    told, _ = CASES[name]
    if name == "DeleteLegalHold":
        for world in (THEIRS, OURS):
            arguments = {"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": "second"}
            await asyncio.to_thread(both.sdk.add_legal_hold, **both.arguments(arguments, world))
    theirs = await both.call_sdk(names.snake(name), told)
    ours = await both.call_client(names.snake(name), told)
    if name in THEIRS_ALONE:
        _without(theirs, THEIRS_ALONE[name])
    if name in OURS_ALONE:
        _without(ours, OURS_ALONE[name])
    assert differences(ours, theirs) == []
