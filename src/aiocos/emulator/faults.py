"""Misbehaviour by script: what the service or the network does wrong, to whom, the how-manieth time.

::

    emulator.faults.script([
        Status(503, code="SlowDown", retry_after=1, operation="PutObject", times=2),
        Reset(operation="UploadPart", nth=3),
        Truncate(after=1000, operation="GetObject", key="*.bin"),
    ])

Each request is shown to the faults in order and the first that matches acts, except that delays add up. A fault matches
from its `nth` matching request on, `times` times. `hits` records what was done.
"""

import asyncio
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal


@dataclass(kw_only=True, slots=True)
class Fault:
    """What all faults have: whom they meet. Names None match everything; `bucket` and `key` are globs.

    `operation` is the name of an operation class (`PutObject`), or `CreateToken` for a request to IAM.
    """

    operation: str | None = None
    method: str | None = None
    bucket: str | None = None
    key: str | None = None
    nth: int = 1
    times: int | None = 1
    seen: int = field(default=0, init=False)
    acted: int = field(default=0, init=False)

    def meets(self, served: "Subject") -> bool:
        """Tell whether this request is one of those meant, and count it."""
        if (
            (self.operation is not None and self.operation != served.operation)
            or (self.method is not None and self.method != served.method)
            or (self.bucket is not None and not fnmatchcase(served.bucket or "", self.bucket))
            or (self.key is not None and not fnmatchcase(served.key or "", self.key))
        ):
            return False
        if self.times is not None and self.acted >= self.times:
            return False
        self.seen += 1
        if self.seen < self.nth:
            return False
        self.acted += 1
        return True


@dataclass(slots=True)
class Delay(Fault):
    """Waits before the request is looked at."""

    seconds: float


@dataclass(slots=True)
class Status(Fault):
    """Answers with an error and does nothing."""

    status: int
    code: str = ""
    message: str = "scripted"
    retry_after: float | None = None


@dataclass(kw_only=True, slots=True)
class Reset(Fault):
    """Breaks the connection (RST): before the request is looked at; or after so many bytes of its body have been `received`,
    or of the answer's been `sent`; or (`lost_answer`) when all is done and the answer should go.
    """

    received: int | None = None
    sent: int | None = None
    lost_answer: bool = False


@dataclass(slots=True)
class Truncate(Fault):
    """Ends the connection in good order after so many bytes of the answer's body, short of its Content-Length."""

    after: int


@dataclass(slots=True)
class ExpireToken(Fault):
    """Lets the bearer token of this request expire: it is answered 401, now and later."""


@dataclass(slots=True)
class BadToken(Fault):
    """Lets IAM answer a token request with 200 and something that is no token, or with one that has expired already."""

    what: Literal["garbage", "empty", "expired"] = "garbage"
    operation: str | None = field(default="CreateToken", kw_only=True)


@dataclass(kw_only=True, slots=True)
class LateError(Fault):
    """Answers 200 with an error document in the body, as copy and complete may; nothing is done, unless `applied`."""

    code: str = "InternalError"
    message: str = "We encountered an internal error. Please try again."
    applied: bool = False


@dataclass(slots=True)
class FlipBit(Fault):
    """Turns one bit of the answer's body over."""

    at: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fault sees of a request."""

    operation: str
    method: str
    bucket: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that acted."""

    fault: Fault
    subject: Subject


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Break a connection with a RST. `abort` alone ends it as politely as `close` does, unless bytes wait unread."""
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Faults:
    """The script that is running."""

    def __init__(self) -> None:
        self._script: list[Fault] = []
        self._delayed: set[asyncio.Task[object]] = set()
        self.hits: list[Hit] = []

    def script(self, faults: Iterable[Fault]) -> None:
        """Replace the script. Counting begins anew; faults are used up by acting, so give fresh ones."""
        self._script = list(faults)
        self.hits = []

    def add(self, fault: Fault) -> None:
        """Add a fault at the end of the script."""
        self._script.append(fault)

    def clear(self) -> None:
        """Behave again. The record of hits stays."""
        self._script = []

    async def delay(self, seconds: float) -> None:
        """Hold the request that the running task answers."""
        task = asyncio.current_task()
        assert task is not None
        self._delayed.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._delayed.discard(task)

    def end(self) -> None:
        """Give up the requests that are held: the emulator stops, and nobody waits for them."""
        for task in list(self._delayed):
            task.cancel()

    def strike(self, subject: Subject) -> Sequence[Fault]:
        """The faults that act on this request: delays, then at most one other."""
        if not self._script:
            return ()
        struck: list[Fault] = []
        for fault in self._script:
            if fault.meets(subject):
                self.hits.append(Hit(fault, subject))
                struck.append(fault)
                if not isinstance(fault, Delay):
                    break
        return struck
