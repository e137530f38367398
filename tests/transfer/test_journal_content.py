"""No content of a journal makes a transfer fail, or costs it much."""

import json
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used
from tests.transfer.test_abort_at_every_await import descriptors

import aiocos
from aiocos.config import MAX_OBJECT, MIB
from aiocos.emulator import Emulator, Status
from aiocos.errors import TransferError
from aiocos.transfer import journal as journals
from aiocos.transfer.journal import Journal
from aiocos.wire import checksum


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    """A client whose journals are this test's own, and that compares nothing of its own accord."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    config = aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry, verify_reads=False)
    async with cos_emulator.client(config=config) as client:
        await client.buckets.create("bucket")
        await client.upload("bucket", "parts", DATA)
        await client.objects.put("bucket", "whole", DATA)
        yield client


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory for downloads."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


async def begun(cos: aiocos.Client, emulator: Emulator, target: Path, key: str = "parts") -> tuple[Path, Path]:
    """Let a download fail after two answers; return its file and its journal."""
    emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError, match="continues from there"):
        await cos.download("bucket", key, target, resume=True, concurrency=1)
    emulator.faults.script([])
    [part], [journal] = target.parent.glob(".*.part"), target.parent.glob(".*.journal")
    return part, journal


def forge(part: Path, journal: Path, content: bytes, **head: Any) -> None:
    """Have a journal say, with the right checksums, that some bytes are there."""
    begun = json.loads(journal.read_text().splitlines()[0]) | head
    part.write_bytes(content)
    steps = [
        [at, len(piece), checksum.crc32(piece, 0)] for at in range(0, len(content), MIB) if (piece := content[at : at + MIB])
    ]
    journal.write_text("".join(json.dumps(line) + "\n" for line in (begun, *steps)))


HOSTILE = [
    b"[" * 100_000 + b"\n",
    b'{"a":' * 50_000 + b"\n",
    b"\xff\xfe\x00\n",
    b"9" * 60_000 + b"\n",
    b'{"journal": 1}\n',
    b"\n\n\n",
    b"null\n" * 10,
    b"x" * (journals._MAX_LINE + 1) + b"\n",
    b'"' + b"\\ud800" * 10 + b'"\n',
]


HEADS: dict[str, list[Any]] = {
    "size": [0, -1, MAX_OBJECT + 1, 1 << 64, 10**400, 1.5, "5", None, [], {}, True, float("inf"), float("nan")],
    "etag": ["", "*", 'a","b', "a\r\nX-Evil: 1", "\ud800", "ü", 5, None, [], {}, "x" * 100_000, "\0"],
    "version_id": [5, [], {}, "\r\n", "x" * 10_000, "\ud800"],
    **{name: [5, [], {}, "other"] for name in ("kind", "endpoint", "bucket", "key", "target", "version")},
}


STEPS: list[Any] = [
    [0, 0, 0], [-1, 5, 5], [0, 1 << 40, 0], [1 << 70, 1, 0], [0, 5, -1], [0, 5, 1 << 32], [0, 5], [0, 5, 5, 5], [], {}, 5, None,
    "text", [0.0, 5, 5], [True, 5, 5], ["0", 5, 5], [None, None, None], [[0], 5, 5], [len(DATA), 1, 0], {"part": 1},
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_is_no_journal(cos: aiocos.Client, cos_emulator: Emulator, here: Path, text: bytes):
    _, journal = await begun(cos, cos_emulator, here / "f")
    for content in (text, journal.read_bytes() + text):
        journal.write_bytes(content)
        result = await cos.download("bucket", "parts", here / "f", resume=True)
        assert (here / "f").read_bytes() == DATA
        assert (result.resumed_bytes, bool(result.resume_rejected)) == (0, True)
        assert os.listdir(here) == ["f"]
        _, journal = await begun(cos, cos_emulator, here / "f")


@pytest.mark.parametrize("name", HEADS)
async def test_a_hostile_head_is_no_journal(cos: aiocos.Client, cos_emulator: Emulator, here: Path, name: str):
    part, journal = await begun(cos, cos_emulator, here / "f")
    text = journal.read_bytes()
    for value in HEADS[name]:
        journal.write_bytes(text)
        forge(part, journal, DATA[:PART], **{name: value})
        result = await cos.download("bucket", "parts", here / "f", resume=True)
        assert (here / "f").read_bytes() == DATA
        # The version is the service's to say.
        assert (result.resumed_bytes > 0) == (name == "version_id"), value
        assert os.listdir(here) == ["f"]


async def test_a_hostile_step_is_no_journal(cos: aiocos.Client, cos_emulator: Emulator, here: Path):
    part, journal = await begun(cos, cos_emulator, here / "f")
    forge(part, journal, DATA[:PART])
    text = journal.read_text()
    for step in STEPS:
        part.write_bytes(DATA[:PART])
        journal.write_text(f"{text}{json.dumps(step)}\n")
        result = await cos.download("bucket", "parts", here / "f", resume=True)
        assert (here / "f").read_bytes() == DATA
        assert (result.resumed_bytes, "damaged" in (result.resume_rejected or "")) == (0, True), step


async def test_notes_of_more_than_the_object_are_not_read(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, monkeypatch: pytest.MonkeyPatch
):
    """A thousand notes of the same bytes, each with another checksum, would be read a thousand times."""
    part, journal = await begun(cos, cos_emulator, here / "f")
    forge(part, journal, DATA)
    with journal.open("a") as file:
        file.writelines(json.dumps([0, PART, n]) + "\n" for n in range(1_000))
    read: list[int] = []
    monkeypatch.setattr("aiocos.transfer.download.partial.read_at", lambda fd, buffer, offset: read.append(len(buffer)) or 0)
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert read == []
    assert "more than the object" in (result.resume_rejected or "")


async def test_a_journal_of_many_pieces_is_none(cos: aiocos.Client, cos_emulator: Emulator, here: Path):
    """Every other byte: what is missing would be millions of requests."""
    part, journal = await begun(cos, cos_emulator, here / "f")
    forge(part, journal, DATA)
    head = journal.read_text().splitlines()[0]
    steps = [json.dumps([at, 1, checksum.crc32(DATA[at : at + 1], 0)]) for at in range(0, 30_000, 2)]
    journal.write_text("\n".join([head, *steps]) + "\n")
    cos_emulator.requests.clear()
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert "pieces" in (result.resume_rejected or "")
    assert (here / "f").read_bytes() == DATA
    assert len(cos_emulator.requests) < 20


async def test_a_journal_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "j"
    monkeypatch.setattr(journals, "_MAX_SIZE", 1_000)
    journal = Journal.open(path)
    journal.begin({"kind": "download"})
    for n in range(1_000):
        journal.add([n, 1, 1])
    journal.close()
    assert 900 < path.stat().st_size <= 1_000
    again = Journal.open(path)
    assert (again.problem, again.begun) == (None, {"journal": 1, "kind": "download"})
    assert again.steps[0] == [0, 1, 1]
    again.close()
    with path.open("a") as file:
        file.write("[0,1,1]\n" * 100)
    again = Journal.open(path)
    assert (again.begun, "damaged" in (again.problem or "")) == (None, True)
    again.close()


async def test_half_a_line_does_not_spoil_what_is_noted_after_it(tmp_path: Path):
    path = tmp_path / "j"
    journal = Journal.open(path)
    journal.begin({"kind": "download"})
    journal.add([1])
    journal.close()
    path.write_bytes(path.read_bytes() + b'[2, "ha')
    for n in (3, 4):
        journal = Journal.open(path)
        journal.add([n])
        journal.close()
    again = Journal.open(path)
    assert (again.problem, again.steps) == (None, [[1], [3], [4]])
    again.close()


def _mutated(text: bytes, draw: random.Random) -> bytes:
    """Change a journal as chance will have it: bytes, numbers, lines, values."""
    kind = draw.randrange(6)
    if kind == 0:
        out = bytearray(text)
        for _ in range(draw.randint(1, 8)):
            out[draw.randrange(len(out))] = draw.randrange(256)
        return bytes(out)
    lines = text.split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] or [b"\n"]
    if kind == 1:
        draw.shuffle(lines)
        return b"".join(lines[: draw.randint(0, len(lines))])
    if kind == 2:
        return text[: draw.randrange(len(text))] + draw.randbytes(draw.randint(0, 50)) + draw.choice([b"", b"\n"])
    values: list[Any] = [
        None,
        True,
        -1,
        0,
        1,
        1 << 31,
        1 << 63,
        10**30,
        0.5,
        float("nan"),
        "",
        "*",
        "\0",
        "\ud800",
        [],
        {},
        [[]],
    ]
    at = draw.randrange(len(lines))
    try:
        line = json.loads(lines[at])
    except ValueError:
        return text  # it is damaged already
    if not line or not isinstance(line, dict | list):
        return text
    if isinstance(line, dict):
        line[draw.choice([*line, "more"])] = draw.choice(values)
    elif kind == 3:
        line[draw.randrange(len(line))] = draw.choice(values)
    else:
        line = [draw.choice([*line, draw.randrange(len(DATA))]) for _ in range(draw.randint(2, 4))]
    lines[at] = json.dumps(line).encode() + b"\n"
    return b"".join(lines)


async def _fuzz_downloads(cos: aiocos.Client, emulator: Emulator, here: Path, rounds: int, seed: int) -> None:
    draw, before = random.Random(seed), descriptors()
    part, journal = await begun(cos, emulator, here / "f")
    content, text = part.read_bytes(), journal.read_bytes()
    for n in range(rounds):
        hostile = text
        for _ in range(draw.randint(1, 3)):
            hostile = _mutated(hostile, draw) or b"\n"
        journal.write_bytes(hostile)
        part.write_bytes(content if draw.random() < 0.7 else draw.randbytes(draw.randrange(2 * PART)))
        (here / "f").unlink(missing_ok=True)
        result = await cos.download("bucket", "parts", here / "f", resume=True)
        assert (here / "f").read_bytes() == DATA, (seed, n, hostile)
        assert result.size == len(DATA)
        assert (os.listdir(here), used(cos)) == (["f"], 0)
    assert descriptors() == before


async def _fuzz_uploads(cos: aiocos.Client, emulator: Emulator, tmp_path: Path, rounds: int, seed: int) -> None:
    draw, source = random.Random(seed), tmp_path / "source"
    source.write_bytes(DATA)
    for n in range(rounds):
        emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=3, times=None)])
        with pytest.raises(TransferError):
            await cos.upload("bucket", "key", source, resume=True, concurrency=1)
        emulator.faults.script([])
        [journal] = (tmp_path / "journals").iterdir()
        hostile = journal.read_bytes()
        for _ in range(draw.randint(1, 3)):
            hostile = _mutated(hostile, draw) or b"\n"
        journal.write_bytes(hostile)
        result = await cos.upload("bucket", "key", source, resume=True)
        assert await cos.objects.read("bucket", "key") == DATA, (seed, n, hostile)
        assert (result.size, used(cos)) == (len(DATA), 0)
        for upload in await open_uploads(cos):
            await cos.multipart.abort("bucket", "key", upload)


async def test_any_journal_of_a_download(cos: aiocos.Client, cos_emulator: Emulator, here: Path):
    await _fuzz_downloads(cos, cos_emulator, here, 25, seed=1)


async def test_any_journal_of_an_upload(cos: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await _fuzz_uploads(cos, cos_emulator, tmp_path, 15, seed=1)


@pytest.mark.slow
async def test_fuzz_of_journals(cos: aiocos.Client, cos_emulator: Emulator, here: Path, tmp_path: Path):
    seed = random.SystemRandom().randrange(1 << 32)
    await _fuzz_downloads(cos, cos_emulator, here, 500, seed)
    await _fuzz_uploads(cos, cos_emulator, tmp_path, 200, seed)
