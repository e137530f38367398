"""Trials of clients under faults. Each records what it observed, and a table in the docs is written from the records.

AIOCOS_TRIALS=trials.json python -m pytest tests/fault_injection -n 0 -m "slow or not slow"
python docs/write_trials.py trials.json
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Emulator

PART = 5 * MIB

Saw = Callable[..., None]

_REPORT = "AIOCOS_TRIALS"
_NAMED = re.compile(r"test_e(\d+[a-z]?)_")
_seen: list[dict[str, object]] = []


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Iterator[Saw]:
    """Record an observation of a trial: `saw("E2", "0 uploads open after 2 s")`. It counts only if the test passes."""
    records: list[dict[str, object]] = []

    def note(trial: str, what: str) -> None:
        records.append({"trial": trial, "saw": what, "test": request.node.nodeid, "held": False})

    yield note
    for one in records:
        one["held"] = bool(getattr(request.node, "trial_passed", False))
    _seen.extend(records)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: object) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.trial_passed = report.passed  # type: ignore[attr-defined]
    if report.failed and (found := _NAMED.match(item.name)):
        # One failed case is enough: the trial failed, whatever its other cases observed.
        _seen.append({"trial": "E" + found[1].lstrip("0"), "saw": "", "test": item.nodeid, "held": False})


def pytest_sessionfinish() -> None:
    if path := os.environ.get(_REPORT):
        versions = {name: importlib.metadata.version(name) for name in ("aiocos", "aiohttp")}
        about = {"python": platform.python_version(), **versions}
        Path(path).write_text(json.dumps({"about": about, "trials": _seen}, indent=1))


@pytest.fixture
async def small(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    """A client that transfers in parts of 5 MiB, with a bucket."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    config = aiocos.ClientConfig(transfer=transfer, retry=aiocos.RetryConfig(base=0.01, cap=0.05))
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        cos_emulator.requests.clear()
        yield cos
