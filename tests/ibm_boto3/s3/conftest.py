"""Fixtures of the tests of transfers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ibm_boto3.s3.helpers import DATA


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path
