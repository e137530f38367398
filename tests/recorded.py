"""An engine without a service: it records the operations and returns results that the test makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Recorded:
    """An engine; `answer` makes the result of an operation, or an exception to raise."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.operations: list[Any] = []
        self._answer = answer

    async def call(self, operation: Any) -> Any:
        """Record an operation and return its result."""
        self.operations.append(operation)
        await asyncio.sleep(0)
        result = self._answer(operation)
        if isinstance(result, BaseException):
            raise result
        return result

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the operations of one class, in order."""
        return [operation for operation in self.operations if isinstance(operation, kind)]


def in_turn(*results: Any) -> Callable[[Any], Any]:
    """Return a function that gives each operation the next result."""
    left = list(results)
    return lambda _: left.pop(0)
