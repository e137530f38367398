"""`Session`: endpoints, regions and services."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibm_boto3 as theirs
import pytest

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import exceptions


async def test_environment_and_profiles_are_read_like_the_sdk_does(
    cos_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endpoint and region of the environment and of a profile, as IBM's SDK finds them."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "IBM_", "AIOCOS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    text = "[default]\nregion = eu-de\n[profile other]\nregion = jp-tok\nendpoint_url = http://profile.example\n"
    (tmp_path / ".aws" / "config").write_text(text)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}

    def both(make: Callable[[Any], Any]) -> str:
        ours, other = make(ibm_boto3), make(theirs)
        told = ours.meta.endpoint_url, ours.meta.region_name
        assert told[1] == other.meta.region_name
        if ".appdomain." not in told[0]:
            assert told[0] == other.meta.endpoint_url
        other.close()
        return told[0]

    assert both(lambda sdk: sdk.Session(**keys).client("s3")).startswith("https://s3.eu-de.")
    assert both(lambda sdk: sdk.Session(**keys, profile_name="other").client("s3")) == "http://profile.example"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")).startswith("https://s3.us-east.")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all.example")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")) == "http://all.example"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.example")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")) == "http://s3.example"
    given = {"endpoint_url": "http://given.example"}
    assert both(lambda sdk: sdk.Session(**keys).client("s3", **given)) == "http://given.example"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")).startswith("https://s3.us-east.")
    with pytest.raises(exceptions.ProfileNotFound, match="could not be found"):
        ibm_boto3.Session(profile_name="nobody")
    (tmp_path / ".aws" / "config").write_text("no section")
    with pytest.raises(exceptions.InvalidConfigError, match="not an INI file"):
        ibm_boto3.Session()
