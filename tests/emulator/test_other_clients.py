"""Clients that nobody here wrote drive the emulator: rclone with both kinds of credentials, s5cmd with HMAC keys."""

import asyncio
import filecmp
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from aiocos.emulator import Emulator

MIB = 1024 * 1024
NAMES = ["plain", "deep/er/file", "a b/c+d", "ü/%25&=", "empty"]


def program(name: str) -> str:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


async def run(*words: str, env: Mapping[str, str] | None = None, given: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(env or {})},
    )
    out, _ = await asyncio.wait_for(process.communicate(given), 60)
    assert process.returncode == 0, f"{words}: {out.decode()}"
    return out.decode()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode() * (0 if name == "empty" else 100))
    (root / "big").write_bytes(os.urandom(11 * MIB + 3))
    return root


def same(left: Path, right: Path) -> None:
    names = {str(p.relative_to(left)) for p in left.rglob("*") if p.is_file()}
    assert names == {str(p.relative_to(right)) for p in right.rglob("*") if p.is_file()}
    assert filecmp.cmpfiles(left, right, names, shallow=False)[1:] == ([], [])


@pytest.mark.parametrize("kind", ["hmac", "iam"])
async def test_rclone(emulator: Emulator, tree: Path, tmp_path: Path, kind: str) -> None:
    credentials = (
        f"access_key_id = {emulator.access_key_id}\nsecret_access_key = {emulator.secret_access_key}\n"
        if kind == "hmac"
        # Without v2_auth rclone leaves the API key alone and goes unsigned.
        else f"ibm_api_key = {emulator.api_key}\nibm_resource_instance_id = {emulator.service_instance_id}\n"
        f"ibm_iam_endpoint = {emulator.iam_endpoint}\nv2_auth = true\n"
    )
    config = tmp_path / "rclone.conf"
    config.write_text(f"[cos]\ntype = s3\nprovider = IBMCOS\nendpoint = {emulator.endpoint}\n{credentials}")
    rclone = (program("rclone"), "--config", str(config), "--retries", "1", "--low-level-retries", "1")
    parts = ("--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", "--s3-copy-cutoff", "5M")
    await run(*rclone, "mkdir", "cos:story")
    await run(*rclone, "copy", str(tree), "cos:story/t", *parts)
    await run(*rclone, "check", str(tree), "cos:story/t", "--download")
    await run(*rclone, "copyto", "cos:story/t/big", "cos:story/t/copied", *parts)
    await run(*rclone, "rcat", "cos:story/stream", *parts, given=b"stream" * MIB)
    assert (await run(*rclone, "lsf", "cos:story")).split() == ["stream", "t/"]
    await run(*rclone, "copy", "cos:story/t", str(tmp_path / "back"))
    shutil.copy(tree / "big", tree / "copied")
    same(tree, tmp_path / "back")
    await run(*rclone, "purge", "cos:story")
    assert (await run(*rclone, "lsd", "cos:")).strip() == ""
    operations = {served.operation for served in emulator.requests}
    assert operations >= {"UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "DeleteBucket"}
    assert ("CreateToken" in operations) is (kind == "iam")


async def test_s5cmd(emulator: Emulator, tree: Path, tmp_path: Path) -> None:
    env = {
        "AWS_ACCESS_KEY_ID": emulator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.secret_access_key,
        "AWS_REGION": "us-south",
        "S3_ENDPOINT_URL": emulator.endpoint,
    }
    s5cmd = program("s5cmd")
    await run(s5cmd, "mb", "s3://story", env=env)
    await run(s5cmd, "cp", "-p", "5", f"{tree}/", "s3://story/t/", env=env)
    await run(s5cmd, "cp", "s3://story/t/*", f"{tmp_path / 'back'}/", env=env)
    same(tree, tmp_path / "back")
    await run(s5cmd, "cp", "s3://story/t/*", "s3://story/copied/", env=env)
    await run(s5cmd, "mv", "s3://story/t/big", "s3://story/moved", env=env)
    assert f"{len(NAMES) * 2 + 2} objects" in await run(s5cmd, "du", "s3://story/*", env=env)
    await run(s5cmd, "rm", "s3://story/*", env=env)
    await run(s5cmd, "rb", "s3://story", env=env)
    assert "story" not in await run(s5cmd, "ls", env=env)
