"""Journals that somebody else wrote, or put there: none of them stops a transfer, and nothing of them is taken on trust."""

import hashlib
import json
import os
import random
import re
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_files, open_uploads, used
from tests.transfer.test_every_await import descriptors
from tests.transfer.test_foreign_etags import Strange

import aiocos
from aiocos.config import MAX_OBJECT, MIB
from aiocos.emulator import Emulator, Status
from aiocos.errors import TransferError
from aiocos.transfer import journal as journals
from aiocos.transfer.files import NotOurs, open_own
from aiocos.transfer.journal import Journal, journal_id
from aiocos.wire import digest

Plant = Callable[[Path, Path], object]


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


# -- what stands where a journal or a partial file would -------------------------------------------------------------------


def _link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def _dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("new"))


def _hard_link(path: Path, victim: Path) -> None:
    os.link(victim, path)


def _pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("plant", [_link, _dangling, _hard_link, _pipe])
@pytest.mark.parametrize("kind", ["journal", "part"])
async def test_what_was_planted_is_neither_written_to_nor_in_the_way(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, tmp_path: Path, kind: str, plant: Plant
):
    part, journal = await begun(cos, cos_emulator, here / "f")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious" if plant is not _hard_link else journal.read_bytes())
    before = victim.read_bytes()
    planted = journal if kind == "journal" else part
    planted.unlink()
    plant(planted, victim)
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert (here / "f").read_bytes() == DATA
    assert result.resumed_bytes == 0
    assert result.resume_rejected
    assert victim.read_bytes() == before
    assert not (tmp_path / "new").exists()
    assert os.listdir(here) == ["f"]


@pytest.mark.parametrize("kind", ["journal", "part"])
async def test_what_cannot_be_removed_costs_the_resumption_only(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, kind: str
):
    part, journal = await begun(cos, cos_emulator, here / "f")
    planted = journal if kind == "journal" else part
    planted.unlink()
    planted.mkdir()
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await cos.download("bucket", "parts", here / "f", resume=True, concurrency=1)
    cos_emulator.faults.script([])
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert (here / "f").read_bytes() == DATA
    assert str(planted) in (result.resume_rejected or "")
    planted.rmdir()
    # What the first call has left goes with the next one.
    await cos.download("bucket", "parts", here / "f", resume=True)
    assert [path.name for path in here.iterdir() if path.suffix != ".part"] == ["f"]


def test_a_file_of_another_user_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, user = tmp_path / "j", os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user if made else user + 1)
    made = False
    path.write_bytes(b"theirs")
    # What is created here belongs to nobody then: it is given up, instead of going round for ever.
    with pytest.raises(NotOurs, match="another user"):
        open_own(path, os.O_RDWR, 0o600)
    made = True
    fd, removed = open_own(path, os.O_RDWR, 0o600)
    os.close(fd)
    assert removed is None
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"", 0o600)


def test_a_directory_that_may_not_be_written_to_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*args: object, **more: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError) as caught:
        open_own(tmp_path / "j", os.O_RDWR, 0o600)
    assert not isinstance(caught.value, NotOurs)


async def test_the_journal_of_an_upload_is_not_followed_either(cos: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    source, victim = tmp_path / "source", tmp_path / "victim"
    source.write_bytes(DATA)
    victim.write_bytes(b"precious")
    for plant in (_link, _dangling, _pipe):
        cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=3, times=None)])
        with pytest.raises(TransferError):
            await cos.upload("bucket", "key", source, resume=True, concurrency=1)
        cos_emulator.faults.script([])
        [journal] = (tmp_path / "journals").iterdir()
        journal.unlink()
        plant(journal, victim)
        result = await cos.upload("bucket", "key", source, resume=True)
        assert result.resume_rejected
        assert (victim.read_bytes(), (tmp_path / "new").exists()) == (b"precious", False)
        assert await cos.objects.read("bucket", "key") == DATA
        for upload in await open_uploads(cos):
            await cos.multipart.abort("bucket", "key", upload)
        assert list((tmp_path / "journals").iterdir()) == []


# -- bytes that somebody else put there ------------------------------------------------------------------------------------


def forge(part: Path, journal: Path, content: bytes, **head: Any) -> None:
    """Have a journal say, with the right checksums, that some bytes are there."""
    begun = json.loads(journal.read_text().splitlines()[0]) | head
    part.write_bytes(content)
    steps = [
        [at, len(piece), digest.crc32(piece, 0)] for at in range(0, len(content), MIB) if (piece := content[at : at + MIB])
    ]
    journal.write_text("".join(json.dumps(line) + "\n" for line in (begun, *steps)))


@pytest.mark.parametrize("key", ["parts", "whole"])
@pytest.mark.parametrize("length", [PART, len(DATA) - 1, len(DATA)])
async def test_forged_bytes_do_not_get_into_the_file(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, key: str, length: int
):
    """Though reads are not verified: of its own the client would take them for the object's."""
    part, journal = await begun(cos, cos_emulator, here / "f", key)
    forge(part, journal, b"\0" * length)
    result = await cos.download("bucket", key, here / "f", resume=True)
    assert (here / "f").read_bytes() == DATA
    assert result.resumed_bytes == 0
    assert os.listdir(here) == ["f"]


async def test_true_bytes_are_kept_and_compared_though_reads_are_not(cos: aiocos.Client, cos_emulator: Emulator, here: Path):
    part, journal = await begun(cos, cos_emulator, here / "f")
    forge(part, journal, DATA[: 2 * PART])
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert (result.resumed_bytes, result.resume_rejected, result.verified) == (2 * PART, None, "composite")
    assert (here / "f").read_bytes() == DATA


async def test_where_nothing_vouches_for_an_object_it_is_fetched_anew(cos: aiocos.Client, cos_emulator: Emulator, here: Path):
    secret = os.urandom(32)
    await cos.objects.put("bucket", "sse", DATA, customer_key=secret)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await cos.download("bucket", "sse", here / "f", resume=True, concurrency=1, customer_key=secret)
    cos_emulator.faults.script([])
    [part], [journal] = here.glob(".*.part"), here.glob(".*.journal")
    forge(part, journal, b"\0" * PART)
    result = await cos.download("bucket", "sse", here / "f", resume=True, customer_key=secret)
    assert (here / "f").read_bytes() == DATA
    assert result.resumed_bytes == 0
    assert "vouches" in (result.resume_rejected or "")


async def test_under_key_protect_it_is_fetched_anew(here: Path):
    """There an ETag that does not agree means nothing; of bytes that somebody may have put there, it is not enough."""
    from aiohttp import web

    strange = Strange()
    runner = web.ServerRunner(web.Server(strange.answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiocos.Client(url, credentials=aiocos.Anonymous(), config=CONFIG) as cos:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("aiocos.transfer.download.partial.PartialFile.finish", _killed)
                with pytest.raises(KeyboardInterrupt):
                    await cos.download("bucket", "key", here / "f", resume=True)
            [part], [journal] = here.glob(".*.part"), here.glob(".*.journal")
            forge(part, journal, b"\0" * PART)
            result = await cos.download("bucket", "key", here / "f", resume=True)
    finally:
        await runner.cleanup()
    assert (here / "f").read_bytes() == DATA
    assert (result.resumed_bytes, result.verified) == (0, None)
    assert "vouches" in (result.resume_rejected or "")


async def _killed(self: object, target: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("same", [True, False], ids=["stored again", "replaced"])
async def test_the_version_that_a_journal_names_is_not_asked_for(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, *, same: bool
):
    """A download without a version is of the newest, whatever an earlier one had begun with."""
    await cos.versioning.enable("bucket")
    await cos.objects.put("bucket", "whole", DATA)
    await begun(cos, cos_emulator, here / "f", "whole")
    new = DATA if same else os.urandom(len(DATA))
    put = await cos.objects.put("bucket", "whole", new)
    result = await cos.download("bucket", "whole", here / "f", resume=True)
    assert (here / "f").read_bytes() == new
    assert result.version_id == put.version_id
    assert bool(result.resumed_bytes) == same


# -- hostile content -------------------------------------------------------------------------------------------------------

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
    steps = [json.dumps([at, 1, digest.crc32(DATA[at : at + 1], 0)]) for at in range(0, 30_000, 2)]
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


# -- any content at all ----------------------------------------------------------------------------------------------------


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


# -- the journal by itself --------------------------------------------------------------------------------------------


def test_what_is_noted_is_read_again(tmp_path: Path):
    path = tmp_path / "new" / "deep" / "j"
    before = open_files()
    one = Journal.open(path)
    assert (one.begun, one.steps, one.problem) == (None, [], None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    one.begin({"kind": "upload", "key": "é"})
    assert one.begun == {"journal": 1, "kind": "upload", "key": "é"}
    one.add([1, 2, 3])
    one.add({"part": 1})
    one.close()
    one.close()
    assert path.read_text() == '{"journal":1,"kind":"upload","key":"\\u00e9"}\n[1,2,3]\n{"part":1}\n'
    two = Journal.open(path)
    assert (two.begun, two.steps, two.problem) == (one.begun, [[1, 2, 3], {"part": 1}], None)
    two.add(4)
    two.begin({"kind": "download"})
    assert (two.begun, two.steps) == ({"journal": 1, "kind": "download"}, [])
    assert path.read_text() == '{"journal":1,"kind":"download"}\n'
    two.remove()
    two.remove()
    assert not path.exists()
    assert open_files() == before


def test_an_end_that_comes_twice_or_late_is_none(tmp_path: Path):
    path = tmp_path / "j"
    one = Journal.open(path)
    path.unlink()
    one.remove()
    two = Journal.open(path)
    two.close()
    two.remove()
    assert path.exists(), "whoever has let go of it removes nothing"


def test_a_journal_is_a_lock(tmp_path: Path):
    one = Journal.open(tmp_path / "j")
    one.begin({"key": "k"})
    before = open_files()
    for _ in range(3):
        with pytest.raises(TransferError, match=f"under way already: {tmp_path / 'j'} is locked"):
            Journal.open(tmp_path / "j")
    assert open_files() == before
    one.close()
    two = Journal.open(tmp_path / "j")
    assert two.begun == {"journal": 1, "key": "k"}
    two.close()


def test_a_journal_that_is_removed_by_whoever_had_it_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, real, times = tmp_path / "j", journals._lock, 0

    def lock(fd: int) -> None:
        nonlocal times
        times += 1
        if times < removed:
            path.unlink()
        real(fd)

    monkeypatch.setattr(journals, "_lock", lock)
    before, removed = open_files(), 10
    one = Journal.open(path)
    one.begin({})
    assert path.exists()
    one.remove()
    times, removed = 0, 11
    with pytest.raises(TransferError, match="comes and goes"):
        Journal.open(path)
    assert open_files() == before


def test_in_an_open_directory_a_journal_is_a_name(tmp_path: Path):
    (tmp_path / "d").mkdir()
    fd = os.open(tmp_path / "d", os.O_RDONLY)
    try:
        (tmp_path / "d").rename(tmp_path / "moved")
        one = Journal.open(tmp_path / "d" / "j", fd)
        one.begin({})
        assert os.listdir(tmp_path / "moved") == ["j"]
        assert not (tmp_path / "d").exists()
        one.remove()
        assert os.listdir(tmp_path / "moved") == []
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (b"", None),
        (b'{"journal": 1', None),
        (b"[]\n", "another version"),
        (b"1\n", "another version"),
        (b'{"journal":2}\n', "another version"),
        (b'{"kind":"upload"}\n', "another version"),
        (b"nonsense\n", r"is damaged \(JSONDecodeError\)"),
        (b'{"journal":1}\nnonsense\n', "is damaged"),
    ],
)
def test_what_stands_in_a_journal(tmp_path: Path, text: bytes, trouble: str | None):
    (tmp_path / "j").write_bytes(text)
    (tmp_path / "j").chmod(0o600)
    one = Journal.open(tmp_path / "j")
    assert (one.begun, one.steps) == (None, [])
    if trouble is None:
        assert one.problem is None
    else:
        assert one.problem is not None
        assert re.search(trouble, one.problem)
        one.begin({})
        assert one.problem is None
    one.close()


def test_the_size_of_a_journal_and_of_its_lines_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "j"

    def read(text: bytes) -> str | None:
        path.write_bytes(text)
        one = Journal.open(path)
        one.close()
        return one.problem

    head = b'{"journal":1}\n'
    longest = b'"' + b"x" * ((64 << 10) - 2) + b'"\n'
    assert read(head + longest) is None
    assert "damaged (ValueError)" in (read(head + b" " + longest) or "")
    monkeypatch.setattr(journals, "_MAX_SIZE", 100)
    full = head + b"1\n" * 43
    assert len(full) == 100
    assert read(full) is None
    assert "damaged (ValueError)" in (read(full + b"\n") or "")
    path.write_bytes(full[:-4])
    one = Journal.open(path)
    assert len(one.steps) == 41
    one.add(10)
    one.add(1)
    one.add(1)
    one.close()
    assert path.read_bytes() == full[:-4] + b"10\n", "what does not fit is not noted"
    one = Journal.open(path)
    one.begin({})
    for _ in range(60):
        one.add(2)
    one.close()
    assert path.read_bytes() == head + b"2\n" * 43, "up to the last byte"


def test_a_disk_that_takes_half_a_line_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = Journal.open(tmp_path / "j")
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:-1]))
    with pytest.raises(OSError, match=f"{tmp_path / 'j'} could not be written"):
        one.begin({})
    monkeypatch.undo()
    one.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kind", "of a transfer of another kind"),
        ("endpoint", "another service"),
        ("bucket", "another bucket"),
        ("key", "another object"),
        ("source", "another source"),
        ("size", "another size now"),
        ("mtime", "changed since"),
        ("etag", "replaced since"),
        ("options", "other headers then"),
        ("part_size", "parts of another size"),
        ("some_thing", "^it has another some thing$"),
    ],
)
def test_a_journal_says_in_what_it_differs(tmp_path: Path, name: str, said: str):
    one = Journal.open(tmp_path / "j")
    assert one.difference({}) is None
    assert re.search(said, one.difference({name: 5}) or "")
    one.begin({name: 5, "more": 1})
    assert one.difference({name: 5}) is None
    assert re.search(said, one.difference({name: 6}) or "")
    one.close()


def test_names_of_journals(tmp_path: Path):
    assert journal_id("a", "bc") == hashlib.sha256(b'["a", "bc"]').hexdigest()[:24], "other releases find it"
    assert journal_id("a", "bc") != journal_id("ab", "c")
