"""What all tests share: how hypothesis works here, and the watch over secrets."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests import leaks

# Tests start hundreds of programs, each of which would compile the package anew if bytecode were not kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# IBM's SDK signs and computes checksums in another way if it finds awscrt, which is installed here for the client's own CRCs.
# It looks once, when it is imported. boto3 may use awscrt.
os.environ["BOTO_DISABLE_CRT"] = "true"
importlib.import_module("ibm_botocore.compat")
del os.environ["BOTO_DISABLE_CRT"]

# The machines that run this are shared; a slow example says nothing about the code.
settings.register_profile("aiocos", deadline=None, max_examples=int(os.environ.get("AIOCOS_EXAMPLES", "20")), derandomize=True)
settings.load_profile("aiocos")

leaks.watch()


@pytest.fixture(params=["raw", "session"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test twice: with the raw backend, and with the session backend."""
    monkeypatch.setattr("aiocos.net.transport.is_compatible", lambda: request.param == "raw")
    return request.param


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect slow tests on the session backend: they do not depend on the backend."""

    def is_on_session(item: pytest.Item) -> bool:
        callspec = getattr(item, "callspec", None)
        return callspec is not None and callspec.params.get("backend") == "session"

    twice = [item for item in items if "slow" in item.keywords and is_on_session(item)]
    if twice:
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if item not in twice]


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of garbage collection: many tests collect, and would look through all of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nobodys_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Journals of resumed uploads are kept here, and not where the user has theirs."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


def pytest_warning_recorded(warning_message: object) -> None:
    leaks.seen.append(("warning", str(getattr(warning_message, "message", ""))))


@pytest.fixture(autouse=True)
def no_secret_shows() -> Iterator[None]:
    """Fail a test in which a secret came into a log record, an error or a warning."""
    leaks.seen.clear()
    yield
    assert leaks.found() == []
