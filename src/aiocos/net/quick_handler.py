"""A connection that hands over small responses without aiohttp's parser.

Most responses are small: their head and their body arrive in one piece, and the head has a form that was seen before. Then one
match of a regular expression reads all of it (`wire.received_headers`), and the parser, the stream of the body and the queues
between them are not needed.

aiohttp's `ResponseHandler` is the general path and the specification. It gets the same bytes if anything is unusual: a response
in several pieces, bytes after its end, a status other than 200, 204 and 206, a chunked body, an interim response, a header that
changes how the connection is used, a character that is not printable ASCII. Tests compare both paths.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from multidict import istr

from aiocos.wire.received_headers import MAX_HEAD, FormedHeaders, HeadForm

# Forms that are tried for each response, and those that a client's loop makes at most: a server whose responses all differ must
# not cost more than the general path.
_MAX_FORMS, _MAX_MADE = 8, 64
# The spelling of aiohttp's parser.
_USUAL_NAMES = {str(name).lower(): str(name) for name in vars(hdrs).values() if isinstance(name, istr)}


class Forms:
    """The forms of heads that one server uses, the last one first."""

    __slots__ = ("_forms", "_made")

    def __init__(self) -> None:
        self._forms: list[HeadForm] = []
        self._made = 0

    def read(self, data: bytes, *, is_head: bool) -> tuple[FormedHeaders, bytes] | None:
        """Return headers and body of a response; None leaves it to the parser.

        Args:
            data: The first bytes received after the request was sent.
            is_head: True if the request was a HEAD.
        """
        end = data.find(b"\r\n\r\n", 0, MAX_HEAD) + 4
        if end < 4:
            return None
        head = data[:end].decode("latin-1")
        forms = self._forms
        for form in forms:
            if found := form.match(head):
                if form is not forms[0]:
                    forms.remove(form)
                    forms.insert(0, form)
                break
        else:
            form = self._learn(head)
            if form is None or not (found := form.match(head)):
                return None
        texts = found.groups()
        length = len(data) - end
        expected = 0 if is_head or form.length_at is None else int(texts[form.length_at])
        if length != expected:
            return None
        return FormedHeaders(form, texts), data[end:]

    def _learn(self, head: str) -> HeadForm | None:
        if self._made >= _MAX_MADE:
            return None
        form = HeadForm.of(head, _USUAL_NAMES)
        self._made += 1
        if form is not None:
            self._forms.insert(0, form)
            del self._forms[_MAX_FORMS:]
        return form


class QuickHandler(ResponseHandler):
    """aiohttp's protocol of a connection, with a way past its parser."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._forms: Forms | None = None
        self._is_head = False
        self._prepare: Callable[[Any, bool], None] | None = None
        self._quick_waiter: asyncio.Future[tuple[FormedHeaders, bytes] | None] | None = None

    def expect(
        self, forms: Forms, is_head: bool, prepare: Callable[[Any, bool], None]
    ) -> asyncio.Future[tuple[FormedHeaders, bytes] | None]:
        """Expect the response to a request that is sent now.

        Returns a future of its headers and body. The result is None if `read` has it, or an error: this is the general path.

        Args:
            forms: The forms of the server's heads.
            is_head: True if the request is a HEAD.
            prepare: Prepares the parser of this protocol for a response; called before the parser gets any bytes.
        """
        self._forms, self._is_head, self._prepare = forms, is_head, prepare
        self._quick_waiter = waiter = self._loop.create_future()
        return waiter

    def data_received(self, data: bytes) -> None:
        """Take a whole response of a known form; leave everything else to aiohttp."""
        forms = self._forms
        if forms is None:
            super().data_received(data)
            return
        self._forms = None
        waiter, self._quick_waiter = self._quick_waiter, None
        assert waiter is not None
        found = None if self._tail else forms.read(data, is_head=self._is_head)
        if found is None:
            self._prepare(self, self._is_head)  # type: ignore[misc]
            super().data_received(data)
        if not waiter.done():
            waiter.set_result(found)

    def set_exception(self, exc: BaseException, *cause: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Wake the task that waits for the response: `read` raises the exception."""
        super().set_exception(exc, *cause)
        self._wake()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake the task that waits for the response: `read` raises an exception."""
        super().connection_lost(exc)
        self._wake()

    def _wake(self) -> None:
        self._forms = None
        waiter, self._quick_waiter = self._quick_waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
