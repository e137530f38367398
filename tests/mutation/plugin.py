"""A pytest plugin that writes down the outcome of each test: its duration, and the name of the first that failed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


class _Outcomes:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[str, float] = {}
        self._failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._path.write_text(json.dumps({"seconds": self._seconds, "failed": self._failed}), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    if path := os.environ.get("AIOCOS_MUTATION_OUTCOMES"):
        config.pluginmanager.register(_Outcomes(Path(path)))
