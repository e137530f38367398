"""Scripted faults: errors of the service and the network for matching requests.

::

    emulator.faults.script([
        Status(503, code="SlowDown", retry_after=1, operation="PutObject", times=2),
        Reset(operation="UploadPart", nth=3),
        Truncate(after=1000, operation="GetObject", key="*.bin"),
    ])

For each request, the first matching fault of the script applies; delays apply in addition. A fault applies to matching
requests from the `nth` on, `times` times. `hits` records the applied faults.
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
    """Base class of faults: the requests that a fault applies to."""

    operation: str | None = None
    """Name of the operation class, such as `PutObject`, or `CreateToken` for requests to IAM. None matches all."""
    method: str | None = None
    """HTTP method. None matches all."""
    bucket: str | None = None
    """Glob pattern of the bucket. None matches all."""
    key: str | None = None
    """Glob pattern of the key. None matches all."""
    nth: int = 1
    """The number of the first matching request that the fault applies to, counted from 1."""
    times: int | None = 1
    """How many requests the fault applies to. None: no limit."""
    seen: int = field(default=0, init=False)
    """Number of matching requests so far."""
    acted: int = field(default=0, init=False)
    """Number of requests that the fault was applied to."""

    def applies_to(self, served: "Subject") -> bool:
        """Return True if the fault applies to this request, and count it."""
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
    """Wait before the request is processed."""

    seconds: float
    """Delay in seconds."""


@dataclass(slots=True)
class Status(Fault):
    """Respond with an error; the operation is not executed."""

    status: int
    """HTTP status."""
    code: str = ""
    """Error code, such as `SlowDown`."""
    message: str = "scripted"
    """Error message."""
    retry_after: float | None = None
    """Value of the Retry-After header, in seconds. None sends no header."""


@dataclass(kw_only=True, slots=True)
class Reset(Fault):
    """Break the connection with a TCP reset.

    Without arguments, the reset comes before the request is processed.
    """

    received: int | None = None
    """Reset after receiving this many bytes of the request body."""
    sent: int | None = None
    """Reset after sending this many bytes of the response body."""
    lost_answer: bool = False
    """Execute the operation and reset instead of sending the response."""


@dataclass(slots=True)
class Truncate(Fault):
    """Close the connection normally before the whole response body is sent."""

    after: int
    """Number of bytes of the body to send."""


@dataclass(slots=True)
class ExpireToken(Fault):
    """Expire the bearer token of the request.

    The request and later ones with this token are 401.
    """


@dataclass(slots=True)
class BadToken(Fault):
    """Respond to a token request with status 200 and an unusable token."""

    what: Literal["garbage", "empty", "expired"] = "garbage"
    """`garbage`: a JSON list. `empty`: an empty token. `expired`: a token that has expired already."""
    operation: str | None = field(default="CreateToken", kw_only=True)
    """Always `CreateToken`: a request to IAM."""


@dataclass(kw_only=True, slots=True)
class LateError(Fault):
    """Respond with status 200 and an error document.

    CopyObject and CompleteMultipartUpload may do that.
    """

    code: str = "InternalError"
    """Error code in the document."""
    message: str = "We encountered an internal error. Please try again."
    """Error message in the document."""
    applied: bool = False
    """True executes the operation before the error is returned."""


@dataclass(slots=True)
class FlipBit(Fault):
    """Flip one bit of the response body."""

    at: int = 0
    """Position of the changed byte in the body."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The properties of a request that faults match."""

    operation: str
    """Name of the operation class, or `CreateToken`."""
    method: str
    """HTTP method."""
    bucket: str | None = None
    """Name of the bucket; None if the request has none."""
    key: str | None = None
    """Key of the object; None if the request has none."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A record of a fault that was applied to a request."""

    fault: Fault
    """The fault."""
    subject: Subject
    """The request."""


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Break a connection with a TCP reset.

    `transport.abort` alone closes it normally unless unread bytes are left.
    """
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Faults:
    """The running script of faults, and a record of the applied ones."""

    def __init__(self) -> None:
        self._script: list[Fault] = []
        self._delayed: set[asyncio.Task[object]] = set()
        self.hits: list[Hit] = []

    def script(self, faults: Iterable[Fault]) -> None:
        """Replace the script and clear `hits`.

        Faults count their uses, so pass new objects.
        """
        self._script = list(faults)
        self.hits = []

    def add(self, fault: Fault) -> None:
        """Add a fault at the end of the script."""
        self._script.append(fault)

    def clear(self) -> None:
        """Remove all faults from the script. `hits` is kept."""
        self._script = []

    async def delay(self, seconds: float) -> None:
        """Delay the request that the current task handles."""
        task = asyncio.current_task()
        assert task is not None
        self._delayed.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._delayed.discard(task)

    def end(self) -> None:
        """Cancel delayed requests, when the emulator stops."""
        for task in list(self._delayed):
            task.cancel()

    def match(self, subject: Subject) -> Sequence[Fault]:
        """Return the faults that apply to a request: delays, then at most one other."""
        if not self._script:
            return ()
        matching: list[Fault] = []
        for fault in self._script:
            if fault.applies_to(subject):
                self.hits.append(Hit(fault, subject))
                matching.append(fault)
                if not isinstance(fault, Delay):
                    break
        return matching
