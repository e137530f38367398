"""An engine without a service: it keeps the operations that it is given, and answers them as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Recorded:
    """`answer` gives the result of an operation; an exception among its results is raised."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.operations: list[Any] = []
        self._answer = answer

    async def call(self, operation: Any) -> Any:
        """Keep an operation and return its result."""
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
    """Answer each operation by the next result."""
    left = list(results)
    return lambda _: left.pop(0)
