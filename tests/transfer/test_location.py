"""`cos://` locations are parsed in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiocos.errors import ConfigError
from aiocos.transfer.location import CosLocation, as_folder, is_cos_url, split


@pytest.mark.parametrize(
    ("url", "bucket", "key", "folder"),
    [
        ("cos://bucket", "bucket", "", ""),
        ("cos://bucket/", "bucket", "", ""),
        ("cos://bucket/key", "bucket", "key", "key/"),
        ("cos://bucket/dir/", "bucket", "dir/", "dir/"),
        ("cos://bucket//key", "bucket", "/key", "/key/"),
        ("cos://bucket/a%20b?c#d", "bucket", "a%20b?c#d", "a%20b?c#d/"),
        ("cos://bucket/cos://x", "bucket", "cos://x", "cos://x/"),
    ],
)
def test_parse(url: str, bucket: str, key: str, folder: str):
    location = CosLocation.parse(url)
    assert (location.bucket, location.key, location.folder) == (bucket, key, folder)
    assert CosLocation.parse(str(location)) == location
    assert split(url) == (bucket, key)
    assert as_folder(key) == folder


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("bucket/key", "is not a cos:// location"),
        ("cos:/bucket", "is not a cos:// location"),
        ("COS://bucket", "is not a cos:// location"),
        ("", "is not a cos:// location"),
        ("cos://", "names no bucket"),
        ("cos:///key", "names no bucket"),
        ("cos://bucket/\udcff", "not valid UTF-8"),
    ],
)
def test_what_is_not_a_location(url: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        CosLocation.parse(url)


def test_paths_are_never_locations():
    assert is_cos_url("cos://bucket")
    assert is_cos_url("cos://")
    assert not is_cos_url(Path("cos://bucket"))
    assert not is_cos_url("dir/cos://bucket")
