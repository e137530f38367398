"""Fixtures of the tests of transfers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ibm_boto3.aspera.helpers import DATA, FILES


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "source").write_bytes(DATA)
    return str(tmp_path / "source")


@pytest.fixture
def tree(tmp_path: Path) -> str:
    for name, data in FILES.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    return str(tmp_path / "tree")
