"""The class that docs/guides/mocking-a-session.md shows: aioresponses on every aiohttp that aiocos supports."""

import inspect
from typing import Any
from unittest.mock import Mock

from aiohttp import ClientResponse
from aioresponses import aioresponses

__all__ = ["Mocked", "MockedResponse"]


class MockedResponse(ClientResponse):
    """A response that aioresponses can create, with aiohttp 3.14 too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "stream_writer" in inspect.signature(ClientResponse).parameters:
            kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


class Mocked(aioresponses):
    """aioresponses with that class of responses."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Register a response."""
        kwargs.setdefault("response_class", MockedResponse)
        super().add(*args, **kwargs)
