"""Parts of a source that cannot be read: each is a failure with its name, and never treated as missing (E20)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fault_injection.conftest import Saw
from tests.fault_injection.test_planted import run_cli

import aiocos
from aiocos.emulator import Emulator
from aiocos.transfer import DirectoryError

pytestmark = pytest.mark.usefixtures("backend")

GOOD = {"a": b"one", "b/c": b"two", "z": b"last"}


def filled(root: Path) -> Path:
    for name, data in GOOD.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def put_a_link_to_nowhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (root / "b" / "lost").symlink_to("nowhere")
    (root / "round").symlink_to("round")
    return ["b/lost", "round"]


def put_a_pipe(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    os.mkfifo(root / "pipe")
    (root / "to-pipe").symlink_to("pipe")
    return ["pipe", "to-pipe"]


def put_a_socket(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    here = os.getcwd()
    os.chdir(root)  # the path of a socket can have at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as created:
            created.bind("socket")
    finally:
        os.chdir(here)
    return ["socket"]


def put_a_device(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (root / "null").symlink_to(os.devnull)
    return ["null"]


def forbid_a_directory(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Simulate a directory without permission. Real permissions would not help: the tests may run as root."""
    (root / "closed").mkdir()
    (root / "closed" / "x").write_bytes(b"x")
    real = os.scandir

    def scandir(path: Any) -> Any:
        if not isinstance(path, int) and Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return ["closed"]


def forbid_a_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Simulate a file without permission, however it is opened."""
    (root / "secret").write_bytes(b"x")

    def forbid(owner: Any) -> None:
        real = owner.open

        def opened(path: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(path, int) and Path(path).name == "secret":
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(owner, "open", opened)

    forbid(Path)
    forbid(os)
    return ["secret"]


def remove_a_directory_midway(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Remove a directory after it was listed and before it is entered."""
    real = os.scandir
    removed = root / "b2"

    def scandir(path: Any) -> Any:
        if not isinstance(path, int) and Path(path) == removed:
            removed.rmdir()
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return ["b2"]


def name_a_file_in_another_encoding(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with open(os.fsencode(root) + b"/caf\xe9", "wb"):
        return ["caf"]


TROUBLES = [
    put_a_link_to_nowhere,
    put_a_pipe,
    put_a_socket,
    put_a_device,
    forbid_a_directory,
    forbid_a_file,
    remove_a_directory_midway,
    name_a_file_in_another_encoding,
]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_e20_unreadable_sources_are_reported_and_nothing_is_deleted(
    small: aiocos.Client,
    cos_emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saw: Saw,
    trouble: Callable[[Path, pytest.MonkeyPatch], list[str]],
) -> None:
    root = filled(tmp_path / "root")
    names = trouble(root, monkeypatch)
    await small.objects.put("bucket", "site/surplus", b"x")
    await asyncio.gather(*(small.objects.put("bucket", f"site/{name}", b"earlier") for name in names))
    before = {"site/surplus", *(f"site/{name}" for name in names)}

    async def keys() -> set[str]:
        return {entry.key async for entry in small.objects.list("bucket")}

    def come_again() -> None:
        """Create again what each listing removes."""
        if trouble is remove_a_directory_midway:
            (root / "b2").mkdir()

    come_again()

    def named(text: str) -> bool:
        return all(name in text for name in names)

    with pytest.raises(DirectoryError, match="nothing was deleted") as caught:
        await small.sync(root, "cos://bucket/site", delete=True)
    assert named(str(caught.value.result.errors))
    assert len(caught.value.result.errors) == len(names)
    assert await keys() == before | {f"site/{name}" for name in GOOD}
    for args in (
        ["sync", "--delete", "-q", str(root), "cos://bucket/site"],
        ["cp", "-r", "-q", str(root), "cos://bucket/copy"],
    ):
        come_again()
        code, output = await run_cli(cos_emulator, *args)
        assert code == 1, args
        assert named(output), output
        assert before < await keys()
    come_again()
    with pytest.raises(DirectoryError) as caught:
        await small.upload_directory(root, "bucket", prefix="up/")
    assert named(str(caught.value.result.errors))
    assert caught.value.result.files == len(GOOD)
    come_again()
    code, output = await run_cli(cos_emulator, "mv", "-r", "-q", str(root), "cos://bucket/moved")
    assert code == 1
    assert named(output), output
    assert {key for key in await keys() if key.startswith("moved/")} == {f"moved/{name}" for name in GOOD}
    assert [name for name in GOOD if (root / name).exists()] == []
    saw(
        "E20",
        f"{len(TROUBLES)} kinds (broken links, pipes, sockets, devices, no permission, a directory removed midway, a name "
        "that is not UTF-8): each reported by `sync --delete`, `cp -r`, `mv -r`, `upload_directory`, exit 1, nothing deleted",
    )
