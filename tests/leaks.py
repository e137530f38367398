"""Search log records, exceptions and warnings of the whole suite for secrets.

What the suite uses as secrets is noted where it comes from: the credentials of every emulator, every token that its IAM issues,
the keys of customers. Log records and errors are searched at the end of each test, which fails where one shows.
"""

from __future__ import annotations

import base64
import functools
import logging
import re
from typing import Any

from aiocos.emulator.iam import Iam
from aiocos.emulator.service import EmulatorService
from aiocos.errors import CosError
from aiocos.wire.values import CustomerKey

# Secrets of the emulator are hex digits and tokens, and are found as whole words.
_WORD = re.compile(r"[A-Za-z0-9_.\-]{20,}")

words: set[str] = set()
"""Secrets that are searched for as whole words."""
texts: set[str] = {"the-API-key/with+odd=signs", "tests-secret-key"}
"""Secrets that are searched for as parts of a text."""
seen: list[tuple[str, str]] = []
"""The texts logged, raised and warned since the last `found`, each with its source."""


def found() -> list[str]:
    """Return the sources and beginnings of secrets in the texts since the last call."""
    out: list[str] = []
    for where, text in seen:
        hits = [secret for secret in texts if secret in text] + [w for w in _WORD.findall(text) if w in words]
        hits += [part for w in _WORD.findall(text) for part in w.split(".") if len(part) > 30 and part in words]
        out += [f"{where}: {hit[:4]}…" for hit in hits]
    seen.clear()
    return out


class _Records(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.args!r}"
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
        seen.append((f"log {record.name}", text))


def watch() -> None:
    """Start recording; called once per run."""
    logger = logging.getLogger("aiocos")
    logger.addHandler(_Records(logging.DEBUG))
    logger.setLevel(logging.DEBUG)
    _note(EmulatorService, "set_credentials", lambda args, _: [s for k in args[2] for s in (k.api_key, k.secret_access_key)])
    _note(Iam, "issue", lambda _, token: [token, token.rpartition(".")[2]])
    _note(CustomerKey, "__init__", lambda args, _: texts.add(base64.b64encode(args[1]).decode()) or [])

    def new(cls: type[CosError], *args: Any, **kwargs: Any) -> CosError:
        seen.append((cls.__name__, f"{args!r} {kwargs!r}"))
        return super(CosError, cls).__new__(cls, *args)

    CosError.__new__ = new  # type: ignore[method-assign, assignment]


def _note(owner: type[Any], name: str, secrets: Any) -> None:
    real = getattr(owner, name)

    @functools.wraps(real)
    def noting(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        words.update(secrets(args, result))
        return result

    setattr(owner, name, noting)
