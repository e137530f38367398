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
    """Default settings of a waiter: `waiter.config`."""

    operation: str
    """Operation that the waiter sends."""
    delay: float = 5
    """Seconds between two requests; 5 by default."""
    max_attempts: int = 20
    """Requests before the waiter gives up; 20 by default."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A waiter's operation, and the statuses that end or continue the wait."""

    operation: str
    """Operation to send."""
    success: frozenset[int]
    """Statuses that end the wait. A status in neither set fails it."""
    retry: frozenset[int]
    """Statuses after which the waiter sends another request."""


WAITERS: dict[str, Rule] = {
    "bucket_exists": Rule("HeadBucket", frozenset({200, 301, 403}), frozenset({404})),
    "bucket_not_exists": Rule("HeadBucket", frozenset({404}), frozenset({200})),
    "object_exists": Rule("HeadObject", frozenset({200}), frozenset({404})),
    "object_not_exists": Rule("HeadObject", frozenset({404}), frozenset({200})),
}


class Waiter:
    """A waiter: sends a request until the response has the expected status."""

    def __init__(self, name: str, call: Call) -> None:
        self.name: str = "".join(word.capitalize() for word in name.split("_"))
        self._rule = WAITERS[name]
        self.config = WaiterConfig(self._rule.operation)
        self._call = call

    async def wait(self, *, WaiterConfig: WaiterConfigTypeDef | None = None, **kwargs: Any) -> None:
        """Send requests until the wait succeeds or fails.

        Args:
            WaiterConfig: `Delay`, the seconds between requests (5), and `MaxAttempts`, how many requests are sent (20).
            **kwargs: Parameters of the operation that the waiter sends: HeadBucket or HeadObject.

        Raises:
            WaiterError: A response had an unexpected status, or no request was left.
        """
        config: dict[str, Any] = dict(WaiterConfig or {})
        delay, attempts = config.pop("Delay", self.config.delay), config.pop("MaxAttempts", self.config.max_attempts)
        if config:
            raise WaiterError(self.name, f"WaiterConfig has no {', '.join(config)}: it has Delay and MaxAttempts", {})
        response: Any = {}
        for attempt in range(1, max(attempts, 1) + 1):
            try:
                response = await self._call(**kwargs)
            except ClientError as failure:
                response = failure.response
            status = response["ResponseMetadata"]["HTTPStatusCode"]
            if status in self._rule.success:
                return
            if status not in self._rule.retry:
                error = response.get("Error", {})
                raise WaiterError(self.name, f"An error occurred ({error.get('Code')}): {error.get('Message')}", response)
            if attempt < attempts:
                await pause(delay)
        # botocore adds this if the last status was one to wait at.
        last = response["ResponseMetadata"]["HTTPStatusCode"]
        state = f". Previously accepted state: Matched expected HTTP status code: {last}" if last == 404 else ""
        raise WaiterError(self.name, f"Max attempts exceeded{state}", response)
