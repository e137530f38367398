"""The state directory follows the conventions of each platform."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aiocos.transfer.state import state_directory


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".local/state/aiocos"),
        ("freebsd14", ".local/state/aiocos"),
        ("darwin", "Library/Application Support/aiocos"),
        ("win32", "AppData/Local/aiocos"),
    ],
)
def test_default_of_each_platform(monkeypatch: pytest.MonkeyPatch, home: Path, platform: str, expected: str):
    monkeypatch.setattr(sys, "platform", platform)
    assert state_directory() == home / expected


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("value", ["", "relative/path"])
def test_xdg_state_home_must_be_absolute(monkeypatch: pytest.MonkeyPatch, home: Path, platform: str, value: str):
    monkeypatch.setattr(sys, "platform", platform)
    default = state_directory()
    monkeypatch.setenv("XDG_STATE_HOME", value)
    assert state_directory() == default
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "elsewhere"))
    assert state_directory() == home / "elsewhere" / "aiocos"


def test_windows_has_a_variable_of_its_own(monkeypatch: pytest.MonkeyPatch, home: Path):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "ignored"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    assert state_directory() == home / "local" / "aiocos"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_without_a_home_directory_it_raises(monkeypatch: pytest.MonkeyPatch, home: Path, platform: str):
    monkeypatch.setattr(sys, "platform", platform)

    def no_home() -> Path:
        raise RuntimeError("no home directory")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(RuntimeError):
        state_directory()
