"""The check of the installed aiohttp: each change of something that the raw backend relies on fails it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import client_proto, hdrs

from aiocos.emulator import Emulator
from aiocos.net import compat_check

Handler = client_proto.ResponseHandler


@pytest.fixture(autouse=True)
def not_tried_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat_check, "_is_compatible", None)


async def test_installed_aiohttp_is_checked_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []
    original = compat_check._check
    monkeypatch.setattr(compat_check, "_check", lambda: (tries.append(1), original()))
    assert compat_check.is_compatible() is True
    assert compat_check.is_compatible() is True
    assert len(tries) == 1
    assert caplog.records == []


async def test_failed_check_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def fails() -> None:
        tries.append(1)
        raise AttributeError("gone")

    monkeypatch.setattr(compat_check, "_check", fails)
    assert compat_check.is_compatible() is False
    assert compat_check.is_compatible() is False
    assert len(tries) == 1
    assert [(record.name, record.levelno) for record in caplog.records] == [("aiocos.fast_path", logging.WARNING)]


def check_fails_with(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    assert compat_check.is_compatible() is False
    assert reason in caplog.text


class Odd:
    """A payload with one method that returns something else."""

    def __init__(self, payload: Any, name: str, value: object) -> None:
        self._payload, self._name, self._value = payload, name, value

    def __getattr__(self, name: str) -> Any:
        if name != self._name:
            return getattr(self._payload, name)
        if name == "readany":

            async def readany() -> object:
                return self._value

            return readany
        return lambda: self._value


# The responses of the check, by number: whole, to HEAD, half, and one with another behind it.
@pytest.mark.parametrize(
    ("number", "name", "value", "reason"),
    [
        (1, "code", 201, "status and headers"),
        (1, "headers", {}, "status and headers"),
        (1, "is_eof", False, "a complete body"),
        (1, "exception", ValueError(), "a complete body"),
        (1, "read_nowait", b"other", "a complete body"),
        (1, "at_eof", False, "the end of a body"),
        (2, "is_eof", False, "a response to HEAD"),
        (2, "read_nowait", b"x", "a response to HEAD"),
        (3, "is_eof", True, "half a body"),
        (3, "readany", b"h", "half a body"),
        (3, "exception", None, "an interrupted body"),
        (3, "exception", ValueError(), "an interrupted body"),
    ],
)
async def test_changed_responses_fail_the_check(
    number: int, name: str, value: object, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original, reads = Handler.read, 0

    async def read(self: Any) -> tuple[Any, Any]:
        nonlocal reads
        reads += 1
        message, payload = await original(self)
        if reads != number:
            return message, payload
        if name in ("code", "headers"):
            return SimpleNamespace(**{"code": message.code, "headers": message.headers, name: value}), payload
        return message, Odd(payload, name, value)

    monkeypatch.setattr(Handler, "read", read)
    check_fails_with(reason, caplog)


@pytest.mark.parametrize(
    ("after", "value", "reason"),
    [
        (1, True, "the end of a body"),
        (3, False, "half a body"),
        (4, False, "an unrequested response"),
    ],
)
async def test_changed_connection_state_fails_the_check(
    after: int, value: bool, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original, should_close, reads = Handler.read, Handler.should_close, 0

    async def read(self: Any) -> tuple[Any, Any]:
        nonlocal reads
        reads += 1
        return await original(self)

    assert isinstance(should_close, property)
    monkeypatch.setattr(Handler, "read", read)
    monkeypatch.setattr(
        Handler,
        "should_close",
        property(lambda self: value if reads == after else should_close.fget(self)),  # type: ignore[misc]
    )
    check_fails_with(reason, caplog)


def _other_host() -> type:
    class Other(compat_check.ConnectRequest):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.headers[hdrs.HOST] = "other.invalid"

    return Other


def _without(name: str, value: object) -> Callable[..., Any]:
    original = Handler.set_response_params

    def params(self: Any, **more: Any) -> Any:
        return original(self, **{**more, name: value})

    return params


def _closes(self: Any, key: Any, protocol: Any, *, should_close: bool = False) -> None:
    self._acquired.discard(protocol)
    protocol.close()


@pytest.mark.parametrize(
    ("owner", "name", "broken", "reason"),
    [
        (compat_check, "ConnectRequest", _other_host(), "the Host header"),
        (Handler, "set_response_params", _without("max_field_size", 8_190), "is not as expected"),
        (Handler, "set_response_params", _without("skip_payload", False), "is not as expected"),
        (Handler, "set_exception", lambda self, error, *more: None, "a coroutine waits unexpectedly"),
        (aiohttp.BaseConnector, "_release", _closes, "a reused connection"),
    ],
    ids=["host", "field", "head", "exception", "kept"],
)
async def test_other_changes_fail_the_check(
    owner: object, name: str, broken: object, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(owner, name, broken)
    check_fails_with(reason, caplog)


async def test_swallowed_exception_fails_the_check(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    original = Handler.read

    async def read(self: Any) -> Any:
        if self.exception() is not None:
            return None, None
        return await original(self)

    monkeypatch.setattr(Handler, "read", read)
    check_fails_with("an exception in a waiting task", caplog)


async def test_check_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    original = compat_check._FakeConnector

    class Kept(original):  # type: ignore[misc, valid-type]
        def __init__(self, **more: Any) -> None:
            assert more == {"limit": 0}
            super().__init__(**more)
            made.append(self)

    monkeypatch.setattr(compat_check, "_FakeConnector", Kept)
    compat_check._check()
    assert made[0].closed
    assert not made[0]._acquired


def test_run_refuses_a_coroutine_that_waits() -> None:
    async def value() -> int:
        return 7

    class Waits:
        def __await__(self) -> Any:
            yield

    async def waits() -> None:
        await Waits()

    assert compat_check._run(value()) == 7
    with pytest.raises(RuntimeError, match="a coroutine waits unexpectedly"):
        compat_check._run(waits())
    compat_check._expect("it", is_met=True)
    with pytest.raises(RuntimeError, match=r"^it$"):
        compat_check._expect("it", is_met=False)


def test_fake_transport() -> None:
    transport = compat_check._FakeTransport()
    assert (transport.written, transport.is_closing()) == (b"", False)
    transport.write(b"a")
    transport.write(memoryview(b"b"))
    assert transport.written == b"ab"
    for close in ("close", "abort"):
        transport = compat_check._FakeTransport()
        getattr(transport, close)()
        assert transport.is_closing() is True
    transport.pause_reading()
    transport.resume_reading()


async def test_reused_broken_connection_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A lost connection looks usable and is returned to the pool."""
    lost: set[Any] = set()
    original, should_close = Handler.connection_lost, Handler.should_close
    assert isinstance(should_close, property)

    def connection_lost(self: Any, error: Any) -> None:
        transport = self.transport
        original(self, error)
        self.transport = transport
        lost.add(self)

    state = property(lambda self: self not in lost and should_close.fget(self))  # type: ignore[misc]
    monkeypatch.setattr(Handler, "connection_lost", connection_lost)
    monkeypatch.setattr(Handler, "should_close", state)
    check_fails_with("a new connection after an interruption", caplog)


async def test_installed_aiohttp_passes_the_check():
    compat_check._check()


@pytest.mark.parametrize("broken", ["set_response_params", "_drain_helper", "should_close", "read", "data_received"])
async def test_changed_aiohttp_fails_the_check(broken: str, monkeypatch, caplog, cos_emulator: Emulator):
    monkeypatch.setattr(compat_check, "_is_compatible", None)
    if broken == "should_close":
        monkeypatch.setattr(client_proto.ResponseHandler, "should_close", False)
    else:
        monkeypatch.setattr(client_proto.ResponseHandler, broken, lambda self, *args, **more: None)
    with caplog.at_level(logging.WARNING):
        assert not compat_check.is_compatible()
    assert "requests use its session" in caplog.text
