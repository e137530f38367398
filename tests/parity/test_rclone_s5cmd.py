"""rclone and s5cmd, independent clients, transfer a directory tree and a large file through the emulator."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests import servers

from aiocos import Client
from aiocos.emulator import Emulator

MIB = 1 << 20
BUCKET = "parity-bucket"
# Names that a file system allows and both programs transfer.
NAMES = ["a.txt", "empty", "dir/b c.txt", "dir/sub/ü.txt", "dir/sub/漢字+%2F&=#.txt", "q?.txt", "[x] {y}~'!().txt"]

Run = Callable[..., Awaitable[str]]


async def _run(command: list[str], environment: dict[str, str], expect: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    text = f"{command[1:]}: {process.returncode}\n{out.decode()}\n{err.decode()}"
    assert (process.returncode == 0) == (expect == 0), text
    return out.decode() if expect == 0 else text


def _rclone(emulator: Emulator, kind: str) -> Run:
    settings = {"TYPE": "s3", "PROVIDER": "IBMCOS", "ENDPOINT": emulator.endpoint, "LIST_VERSION": "2"}
    if kind == "iam":
        # Without v2_auth rclone ignores the API key and signs with nothing.
        settings |= {
            "IBM_API_KEY": emulator.api_key,
            "IBM_RESOURCE_INSTANCE_ID": emulator.service_instance_id,
            "IBM_IAM_ENDPOINT": emulator.iam_endpoint,
            "V2_AUTH": "true",
        }
    else:
        settings |= {"ACCESS_KEY_ID": emulator.access_key_id, "SECRET_ACCESS_KEY": emulator.secret_access_key}
    environment = servers.environment(**{f"RCLONE_CONFIG_COS_{name}": value for name, value in settings.items()})
    options = ["--retries", "1", "--low-level-retries", "2", "--s3-upload-cutoff", "6M", "--s3-chunk-size", "5M"]

    async def run(*arguments: str, expect: int = 0) -> str:
        return await _run([servers.program("rclone"), *options, *arguments], environment, expect)

    return run


def _s5cmd(emulator: Emulator) -> Run:
    environment = servers.environment(
        AWS_ACCESS_KEY_ID=emulator.access_key_id, AWS_SECRET_ACCESS_KEY=emulator.secret_access_key, AWS_REGION="us-east-1"
    )

    async def run(*arguments: str, expect: int = 0) -> str:
        command = [servers.program("s5cmd"), "--endpoint-url", emulator.endpoint, "--retry-count", "1", *arguments]
        return await _run(command, environment, expect)

    return run


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "up"
    source = random.Random(7)
    for n, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else source.randbytes(100 * n + 1))
    (root / "large.bin").write_bytes(source.randbytes(12 * MIB + 5))
    return root


def _content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def _stored(cos: Client) -> dict[str, bytes]:
    return {e.key.removeprefix("t/"): await cos.objects.read(BUCKET, e.key) async for e in cos.objects.list(BUCKET)}


@pytest.mark.parametrize("kind", ["iam", "hmac"])
async def test_rclone_transfers_a_tree(cos_emulator: Emulator, cos: Client, tree: Path, tmp_path: Path, kind: str) -> None:
    rclone = _rclone(cos_emulator, kind)
    await rclone("mkdir", f"cos:{BUCKET}")
    await rclone("copy", str(tree), f"cos:{BUCKET}/t")
    assert await _stored(cos) == _content(tree)
    assert (await cos.objects.head(BUCKET, "t/large.bin")).etag.endswith('-3"')
    listed = await rclone("lsf", "-R", "--files-only", f"cos:{BUCKET}/t")
    assert sorted(listed.splitlines()) == sorted(_content(tree))
    await rclone("copy", f"cos:{BUCKET}/t", str(tmp_path / "down"))
    assert _content(tmp_path / "down") == _content(tree)
    await rclone("check", "--download", str(tree), f"cos:{BUCKET}/t")
    await rclone("copyto", f"cos:{BUCKET}/t/a.txt", f"cos:{BUCKET}/t/copy of a")
    assert await cos.objects.read(BUCKET, "t/copy of a") == (tree / "a.txt").read_bytes()
    await rclone("delete", f"cos:{BUCKET}/t/dir")
    assert not [key for key in await _stored(cos) if key.startswith("dir/")]
    await rclone("purge", f"cos:{BUCKET}/t")
    assert await _stored(cos) == {}
    await rclone("rmdir", f"cos:{BUCKET}")
    assert not await cos.buckets.exists(BUCKET)


async def test_s5cmd_transfers_a_tree(cos_emulator: Emulator, cos: Client, tree: Path, tmp_path: Path) -> None:
    s5cmd = _s5cmd(cos_emulator)
    await s5cmd("mb", f"s3://{BUCKET}")
    await s5cmd("cp", "--part-size", "5", f"{tree}/", f"s3://{BUCKET}/t/")
    assert await _stored(cos) == _content(tree)
    assert (await cos.objects.head(BUCKET, "t/large.bin")).etag.endswith('-3"')
    listed = await s5cmd("ls", f"s3://{BUCKET}/t/*")
    assert len(listed.splitlines()) == len(_content(tree))
    await s5cmd("cp", "--part-size", "5", f"s3://{BUCKET}/t/*", f"{tmp_path / 'down'}/")
    assert _content(tmp_path / "down") == _content(tree)
    await s5cmd("mv", f"s3://{BUCKET}/t/a.txt", f"s3://{BUCKET}/t/moved")
    assert await cos.objects.read(BUCKET, "t/moved") == (tree / "a.txt").read_bytes()
    await s5cmd("rm", f"s3://{BUCKET}/t/*")
    assert await _stored(cos) == {}
    assert "not found" in await s5cmd("cat", f"s3://{BUCKET}/missing", expect=1)
    await s5cmd("rb", f"s3://{BUCKET}")
    assert not await cos.buckets.exists(BUCKET)


async def test_wrong_secrets_are_refused(cos_emulator: Emulator, cos: Client) -> None:
    await cos.buckets.create(BUCKET)

    class Stranger:
        endpoint, iam_endpoint = cos_emulator.endpoint, cos_emulator.iam_endpoint
        service_instance_id, access_key_id = cos_emulator.service_instance_id, cos_emulator.access_key_id
        secret_access_key = api_key = "wrong"

    assert "SignatureDoesNotMatch" in await _s5cmd(Stranger())("ls", f"s3://{BUCKET}", expect=1)  # type: ignore[arg-type]
    for kind in ("iam", "hmac"):
        await _rclone(Stranger(), kind)("lsf", f"cos:{BUCKET}", expect=1)  # type: ignore[arg-type]
