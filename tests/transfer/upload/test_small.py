"""A small file is read in one go, and only if it is a regular file that did not change meanwhile."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import open_files

from aiocos.errors import ConfigError, TransferError
from aiocos.transfer.upload import small as module
from aiocos.transfer.upload.small import SMALL_FILE, read_small


@pytest.mark.parametrize("size", [0, 1, 4096, SMALL_FILE])
def test_content_and_status(tmp_path: Path, size: int):
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    fds = open_files()
    found = read_small(tmp_path / "f")
    assert found is not None
    status = os.stat(tmp_path / "f")
    assert (found[0], found[1].st_size, found[1].st_mtime_ns) == (data, size, status.st_mtime_ns)
    assert open_files() == fds


def test_a_large_file_is_not_read(tmp_path: Path):
    (tmp_path / "f").write_bytes(bytes(SMALL_FILE + 1))
    assert read_small(tmp_path / "f") is None


def test_a_file_is_read_whole_however_little_the_system_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "f").write_bytes(b"0123456789")
    real = os.read
    monkeypatch.setattr(module.os, "read", lambda fd, size: real(fd, min(size, 3)))
    found = read_small(tmp_path / "f")
    assert found is not None
    assert found[0] == b"0123456789"


def test_what_is_no_regular_file(tmp_path: Path):
    """A pipe is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    fds = open_files()
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ConfigError, match="is not a regular file"):
            read_small(path)
    with pytest.raises(FileNotFoundError):
        read_small(tmp_path / "missing")
    assert open_files() == fds


@pytest.mark.parametrize("change", ["longer", "shorter", "touched"])
def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str):
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    real = os.read

    def disturbed(fd: int, size: int) -> Any:
        if change == "longer":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "shorter":
            os.truncate(path, 5)
        data = real(fd, size)
        if change == "touched":
            os.utime(path, ns=(1, 1))
        return data

    monkeypatch.setattr(module.os, "read", disturbed)
    with pytest.raises(TransferError, match="was changed while it was read"):
        read_small(path)
