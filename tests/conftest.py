"""Fixtures of all tests: settings of hypothesis, both backends, and the search for leaked secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests import leaks

# The machines that run this are shared; a slow example says nothing about the code.
settings.register_profile("aiocos", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("aiocos")

leaks.watch()


@pytest.fixture(params=["direct", "session"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test twice: with the raw backend and with the session backend."""
    monkeypatch.setattr("aiocos.net.transport.is_compatible", lambda: request.param == "direct")
    return request.param


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the second run of slow tests, with the session backend: they do not test the backend."""

    def by_session(item: pytest.Item) -> bool:
        return isinstance(item, pytest.Function) and hasattr(item, "callspec") and item.callspec.params.get("way") == "session"

    twice = [item for item in items if "slow" in item.keywords and by_session(item)]
    if twice:
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if item not in twice]


@pytest.fixture(scope="session", autouse=True)
def nobodys_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep journals of resumable uploads in a temporary directory instead of the user's."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


def pytest_warning_recorded(warning_message: object) -> None:
    leaks.seen.append(("warning", str(getattr(warning_message, "message", ""))))


@pytest.fixture(autouse=True)
def no_secret_shows() -> Iterator[None]:
    """Fail a test if a secret appears in a log record, an exception or a warning."""
    leaks.seen.clear()
    yield
    assert leaks.found() == []
