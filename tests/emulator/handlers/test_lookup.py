"""Lookup of object versions for reads."""

from __future__ import annotations

import pytest

from aiocos.emulator.handlers.lookup import readable, response_version_id
from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import MethodNotAllowed, NoSuchVersion

VERSION = ObjectRow("key", "0" * 32, 0, 0.0, "owner", version_id="v1")
MARKER = VERSION.copy(version_id="v2", delete_marker=True)


def bucket(versioning: str | None) -> BucketRow:
    return BucketRow(1, "bucket", "crn", 0.0, "us-south-standard", "private", versioning=versioning)


def test_a_read_without_version_id_does_not_find_a_delete_marker() -> None:
    assert readable(VERSION, None) == VERSION
    assert readable(MARKER, None) is None
    assert readable(None, None) is None


def test_a_read_by_version_id_says_why_there_is_no_content() -> None:
    assert readable(VERSION, "v1") == VERSION
    with pytest.raises(NoSuchVersion):
        readable(None, "v3")
    with pytest.raises(MethodNotAllowed):
        readable(MARKER, "v2")


def test_responses_have_a_version_id_once_versioning_was_configured() -> None:
    assert response_version_id(bucket(None), VERSION) is None
    for status in ("Enabled", "Suspended"):
        assert response_version_id(bucket(status), VERSION) == "v1"
    assert response_version_id(bucket("Enabled"), None) is None
