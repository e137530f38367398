"""Waiters: `await client.get_waiter("object_exists").wait(Bucket="b", Key="k")`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiocos.ibm_boto3.exceptions import ClientError, WaiterError
from aiocos.net.retry import pause

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import WaiterConfigTypeDef

Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class WaiterConfig:
    """How a waiter asks where it is not told otherwise: `waiter.config`."""

    operation: str
    """The operation that is asked."""
    delay: float = 5
    """Seconds between two requests."""
    max_attempts: int = 20
    """Requests before it gives up."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a waiter asks, with which answers it is content, and with which it goes on. Any other error ends it."""

    operation: str
    enough: frozenset[int]
    again: frozenset[int]


WAITERS: dict[str, Rule] = {
    "bucket_exists": Rule("HeadBucket", frozenset({200, 301, 403}), frozenset({404})),
    "bucket_not_exists": Rule("HeadBucket", frozenset({404}), frozenset({200})),
    "object_exists": Rule("HeadObject", frozenset({200}), frozenset({404})),
    "object_not_exists": Rule("HeadObject", frozenset({404}), frozenset({200})),
}


class Waiter:
    """Asks until the answer is the one that is waited for."""

    def __init__(self, name: str, call: Call) -> None:
        self.name: str = "".join(word.capitalize() for word in name.split("_"))
        self._rule = WAITERS[name]
        self.config = WaiterConfig(self._rule.operation)
        self._call = call

    async def wait(self, *, WaiterConfig: WaiterConfigTypeDef | None = None, **kwargs: Any) -> None:
        """Ask every `Delay` seconds (5), `MaxAttempts` times (20); raises `WaiterError`.

        Other parameters are those of the operation that is asked: HeadBucket or HeadObject.
        """
        config: dict[str, Any] = dict(WaiterConfig or {})
        delay, attempts = config.pop("Delay", self.config.delay), config.pop("MaxAttempts", self.config.max_attempts)
        if config:
            raise WaiterError(self.name, f"WaiterConfig has no {', '.join(config)}: it has Delay and MaxAttempts", {})
        response: Any = {}
        for attempt in range(1, max(attempts, 1) + 1):
            try:
                response = await self._call(**kwargs)
            except ClientError as error:
                response = error.response
            status = response["ResponseMetadata"]["HTTPStatusCode"]
            if status in self._rule.enough:
                return
            if status not in self._rule.again:
                told = response.get("Error", {})
                raise WaiterError(self.name, f"An error occurred ({told.get('Code')}): {told.get('Message')}", response)
            if attempt < attempts:
                await pause(delay)
        # botocore says so where the answer was one to wait at.
        last = response["ResponseMetadata"]["HTTPStatusCode"]
        seen = f". Previously accepted state: Matched expected HTTP status code: {last}" if last == 404 else ""
        raise WaiterError(self.name, f"Max attempts exceeded{seen}", response)
