"""The record of acknowledged and possible writes that a soak test is checked against.

A write that the client gave up can still be done later: its bytes may be in a buffer on the network, or the service may be
about to store them. It then replaces data that was written and acknowledged in the meantime. No client can prevent that. So
for a while after an attempt without a response, its value is allowed beside the acknowledged one. Any other loss is an error.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, deque
from dataclasses import dataclass, field

Digest = str | None
"""The SHA-256 of an object's bytes; None if there is no object."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Seconds; longer than any injected delay (2) or stall (3).
LATE_WRITE_WINDOW = 10.0


@dataclass
class Ledger:
    """The contents that each key may have. A response settles them; a failure leaves the old and the new contents allowed.

    A worker holds the lock of a key while it writes the key.
    """

    allowed: dict[str, set[Digest]] = field(default_factory=dict[str, set[Digest]])
    locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    counts: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    pending: dict[str, Digest] = field(default_factory=dict[str, Digest])
    late_writes: dict[str, dict[Digest, float]] = field(default_factory=dict[str, dict[Digest, float]])
    history: dict[str, deque[str]] = field(default_factory=dict[str, deque[str]])

    def lock(self, key: str) -> asyncio.Lock:
        return self.locks.setdefault(key, asyncio.Lock())

    def note(self, key: str, what: str, value: Digest) -> None:
        """Record an event of a key, to be shown if the key has wrong contents later."""
        line = f"{time.monotonic():.2f} {what} {value and value[:12]}"
        self.history.setdefault(key, deque(maxlen=30)).append(line)

    def begin_write(self, key: str, value: Digest) -> None:
        """Record that a write is about to be sent: from now on it may have happened."""
        self.allowed.setdefault(key, {None}).add(value)
        self.pending[key] = value
        self.note(key, "started", value)

    def attempt_failed(self, key: str) -> None:
        """Record that an attempt to write a key got no usable response, or was given up."""
        if key in self.pending:
            self.late_writes.setdefault(key, {})[self.pending[key]] = time.monotonic()
            self.note(key, "no response", self.pending[key])

    def acknowledge(self, key: str, value: Digest) -> None:
        """Record that a write was acknowledged."""
        now = time.monotonic()
        self.allowed[key] = {value} | {
            echo for echo, at in self.late_writes.get(key, {}).items() if now - at < LATE_WRITE_WINDOW
        }
        del self.pending[key]
        self.note(key, "acknowledged", value)

    def check_read(self, key: str, value: Digest) -> None:
        """Check contents that were read. They settle nothing: a write that was given up may still be done."""
        if value not in self.allowed.get(key, {None}):
            past = "\n    ".join(self.history.get(key, ()))
            self.wrong.append(f"{key} holds {value and value[:12]}, which no worker wrote or which was replaced:\n    {past}")

    @property
    def uncertain(self) -> int:
        """The number of keys with more than one allowed contents."""
        return sum(len(values) > 1 for values in self.allowed.values())
