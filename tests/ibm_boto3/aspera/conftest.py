"""Fixtures of the tests of transfers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ibm_boto3.aspera.helpers import DATA


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "source").write_bytes(DATA)
    return str(tmp_path / "source")
