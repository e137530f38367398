"""What was acknowledged, and what may have happened: the account that a soak is settled by.

A write that was given up may still arrive: its bytes may lie in a buffer on the way, or the service may be about to store them.
It then replaces what was written and acknowledged since. No client can prevent that, so for a while after an attempt went
unanswered its value is allowed beside the acknowledged one. An update that is lost without such an attempt is a loss.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, deque
from dataclasses import dataclass, field

Digest = str | None
"""Of an object's bytes; None: there is no object."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Longer than anything on the way is held up here, in seconds: delays of 2, stalls of 3.
ECHO = 10.0


@dataclass
class Ledger:
    """For each key what it may hold. Whoever writes a key holds its lock; an answer settles it, a failure leaves both open."""

    allowed: dict[str, set[Digest]] = field(default_factory=dict[str, set[Digest]])
    locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    counts: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    pending: dict[str, Digest] = field(default_factory=dict[str, Digest])
    echoes: dict[str, dict[Digest, float]] = field(default_factory=dict[str, dict[Digest, float]])
    history: dict[str, deque[str]] = field(default_factory=dict[str, deque[str]])

    def lock(self, key: str) -> asyncio.Lock:
        return self.locks.setdefault(key, asyncio.Lock())

    def note(self, key: str, what: str, value: Digest) -> None:
        """Remember what happened to a key, for the day when it holds something else."""
        line = f"{time.monotonic():.2f} {what} {value and value[:12]}"
        self.history.setdefault(key, deque(maxlen=30)).append(line)

    def may_become(self, key: str, value: Digest) -> None:
        """Before a write is sent: from now on it may have happened."""
        self.allowed.setdefault(key, {None}).add(value)
        self.pending[key] = value
        self.note(key, "begun", value)

    def unanswered(self, key: str) -> None:
        """An attempt at the write of a key ended without an answer that counts, or the write was given up."""
        if key in self.pending:
            self.echoes.setdefault(key, {})[self.pending[key]] = time.monotonic()
            self.note(key, "unanswered", self.pending[key])

    def is_now(self, key: str, value: Digest) -> None:
        """A write was acknowledged."""
        now = time.monotonic()
        self.allowed[key] = {value} | {echo for echo, at in self.echoes.get(key, {}).items() if now - at < ECHO}
        del self.pending[key]
        self.note(key, "acknowledged", value)

    def saw(self, key: str, value: Digest) -> None:
        """A read says what a key holds. It need not settle anything: a write that was given up may still arrive."""
        if value not in self.allowed.get(key, {None}):
            past = "\n    ".join(self.history.get(key, ()))
            self.wrong.append(f"{key} holds {value and value[:12]}, which nobody wrote or which was replaced:\n    {past}")

    @property
    def uncertain(self) -> int:
        """Keys of which more than one outcome is allowed."""
        return sum(len(values) > 1 for values in self.allowed.values())
