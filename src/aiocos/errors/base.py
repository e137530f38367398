"""All exceptions but those of the service."""

from __future__ import annotations

from typing import Any


def printable(text: str, most: int | None = None) -> str:
    """Return a text that can't send commands to a terminal or forge a log line.

    Control characters (line breaks, ESC, C1), characters that change the direction of writing, and other invisible ones are
    escaped as in a Python literal: `\\x1b`, `\\u202e`. Letters of all languages are left alone.

    Args:
        text: The text to show.
        most: Characters after which the text is cut off, with an ellipsis. None keeps the whole text.
    """
    text = text if most is None or len(text) <= most else f"{text[:most]}…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


# Most characters of a message: a service may send megabytes, and messages go into logs.
_MAX_MESSAGE = 8192


class CosError(Exception):
    """Base class of all exceptions of this library.

    `str()` and `repr()` give at most 8,192 characters, with control characters escaped, because a server or an object's key may
    have put them into the message. Attributes such as `message` and `resource` have the whole text, unescaped.
    """

    def __str__(self) -> str:
        return printable(self._text(), _MAX_MESSAGE)

    def __repr__(self) -> str:
        return printable(super().__repr__(), _MAX_MESSAGE)

    def _text(self) -> str:
        """Return the whole message, unescaped."""
        return super().__str__()

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors are pickled to cross processes. The default protocol can't call a constructor with keyword-only parameters,
        # so an error is rebuilt from its arguments and its attributes.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[CosError], args: tuple[Any, ...], attributes: dict[str, Any]) -> CosError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigError(CosError, ValueError):
    """An argument, a setting or a configuration file can't work; nothing was sent.

    Examples: an endpoint without a scheme, a part size below the minimum, a header with a line break. Correct the value.
    """


class CredentialsError(CosError):
    """No credentials were found, or no token could be fetched with them.

    The request was not sent. Check the API key, trusted profile or HMAC keys. If IAM couldn't be reached, `__cause__` is the
    `TransportError`.
    """

    status: int | None
    """HTTP status of IAM's response; None if there was none."""

    code: str | None
    """Error code of IAM's response, such as `BXNIM0415E`; None if there was none."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class TransportError(CosError):
    """No complete response arrived.

    The client has already retried what it could. If `sent` is True, the service may have carried the request out: check
    before you repeat a write.
    """

    sent: bool
    """False if the service can't have received the request, so that it can be repeated safely."""

    attempts: int
    """Attempts of the call, the last one included."""

    def __init__(self, message: str, *, sent: bool, attempts: int = 1) -> None:
        super().__init__(message)
        self.sent = sent
        self.attempts = attempts

    def _text(self) -> str:
        tries = f", after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.args[0]} (the request was {'sent' if self.sent else 'not sent'}{tries})"


class ConnectError(TransportError):
    """No connection could be opened.

    It was refused, the host name is unknown, or the TLS handshake failed. `sent` is False. Check the endpoint, the network and
    the certificates (`ClientConfig.ca_file`).
    """


class RequestTimeoutError(TransportError, TimeoutError):
    """The request or the call took too long.

    No connection was opened within `connect_timeout`, no byte moved for `idle_timeout`, or the deadline of the call
    (`timeout=`) passed. Also a built-in `TimeoutError`. Raise the limit in `ClientConfig` or of the call, or try again later.
    """


class ConnectionLostError(TransportError):
    """The connection ended before the response was complete."""


class ProtocolError(CosError):
    """The response makes no sense.

    Examples: XML that can't be parsed, a range that wasn't requested, the listing of another bucket. It often comes from a
    proxy or a login page instead of the service. Check the endpoint.
    """


class IntegrityError(CosError):
    """The bytes that were read or written don't match their ETag or checksum.

    A read has been retried. After a write, the object in the bucket isn't what was sent: write it again. If the service's ETags
    aren't MD5s, see `ClientConfig.verify_reads` and `ClientConfig.verify_writes`.
    """

    expected: str
    """ETag or checksum that the bytes should have, as the service writes it; empty if unknown."""

    actual: str
    """ETag or checksum of the bytes, in the form of `expected`; empty if unknown."""

    def __init__(self, message: str, *, expected: str = "", actual: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class TransferError(CosError):
    """An upload, download or copy failed.

    If parts failed, `__cause__` is an `ExceptionGroup` of their errors. The multipart upload was aborted, unless the message
    says otherwise or the upload can be resumed.
    """

    upload_id: str | None
    """Id of the multipart upload; None if there was none."""

    parts_done: int
    """Parts that were transferred before the failure."""

    def __init__(self, message: str, *, upload_id: str | None = None, parts_done: int = 0) -> None:
        super().__init__(message)
        self.upload_id = upload_id
        self.parts_done = parts_done


class OutcomeUnknown(TransferError):
    """It can't be determined whether an upload has succeeded.

    The response to its completion was lost. The message names the object and the upload: look at them before you upload again.
    """
