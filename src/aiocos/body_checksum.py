"""Choose the checksum of request bodies, and find out which services have none.

By default a body is sent with a CRC, which costs a fraction of an MD5. A service of the present checks it and returns it in the
response. Older services ignore the header: they check nothing, and nothing tells the client so but the missing header in the
response. So the first response without it decides: from then on, all bodies of the client get `Content-MD5`, which services of
all ages check. The write that found this out is verified as well, by its ETag (`write_check`).

A service may also refuse the header. The request is then sent once more, with `Content-MD5`. Only if that succeeds was it the
checksum that the service had refused.

A checksum that the settings or a call name is always sent.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aiocos.config import ChecksumSetting
from aiocos.errors import ConfigError, CosError, ServiceError
from aiocos.wire import checksum
from aiocos.wire.checksum import Algorithm
from aiocos.wire.message import PreparedRequest

Evidence: TypeAlias = Literal["checksum", "md5"] | None
"""What shows that the service stored the bytes that were sent: it returned their checksum, or an ETag that is their MD5."""

_log = logging.getLogger("aiocos.call")

_ANNOUNCED = "x-amz-sdk-checksum-algorithm"


@dataclass(slots=True)
class BodyChecksum:
    """The checksum of one body, and what became of it.

    For callers that compute it themselves, or want to know what the service confirmed.
    """

    algorithm: Algorithm
    """The checksum. `md5` after the call if the service has no other."""
    value: bytes
    """Its bytes."""
    is_automatic: bool
    """True if the client chose the algorithm, and may send `Content-MD5` in its place."""
    evidence: Evidence = None
    """Set by the call."""


class BodyChecksums:
    """The checksum that a client adds to bodies.

    Args:
        setting: `ClientConfig.checksum`.
        origin: The endpoint, for the log.
    """

    __slots__ = ("_algorithm", "_origin", "is_automatic")

    def __init__(self, setting: ChecksumSetting, origin: str) -> None:
        self.is_automatic = setting == "auto"
        self._algorithm: Algorithm | None = None if setting == "auto" else setting
        self._origin = origin

    @property
    def algorithm(self) -> Algorithm:
        """The checksum of the next body."""
        # Chosen at the first body: importing a native implementation takes some ten milliseconds.
        if self._algorithm is None:
            self._algorithm = checksum.best()
        return self._algorithm

    def missing(self, headers: Mapping[str, str]) -> Algorithm | None:
        """Return the checksum to compute for a body, or None if the headers have one.

        Raises `ConfigError` if the headers announce a checksum that is not known.
        """
        for name in headers:
            if name == "Content-MD5" or name.startswith("x-amz-checksum-"):
                return None
        if (announced := headers.get(_ANNOUNCED)) is None:
            return self._algorithm or self.algorithm
        # The service refuses a request that announces a checksum and does not contain it.
        if (algorithm := checksum.BY_NAME.get(announced)) is None:
            raise ConfigError(f"a {announced} checksum is announced and not given, and cannot be computed here")
        return algorithm

    def chosen(self, known: BodyChecksum) -> Algorithm:
        """Return the checksum to send for a body.

        `known` is computed already.
        """
        return "md5" if known.is_automatic and self.algorithm == "md5" else known.algorithm

    def add(self, request: PreparedRequest, algorithm: Algorithm, value: bytes, known: BodyChecksum | None) -> None:
        """Add a checksum to a request."""
        headers = request.headers
        headers[checksum.HEADERS[algorithm]] = checksum.encode(value)
        request.checksum = algorithm
        if known is not None:
            request.is_replaceable = known.is_automatic and algorithm != "md5"
            known.algorithm, known.value = algorithm, value
        else:
            request.is_replaceable = self.is_automatic and algorithm != "md5" and _ANNOUNCED not in headers

    def fall_back(self, reason: str) -> None:
        """Send `Content-MD5` from now on."""
        if self.is_automatic and self._algorithm != "md5":
            self._algorithm = "md5"
            text = '%s %s: bodies are sent with Content-MD5 from now on. ClientConfig(checksum="md5") does so from the start'
            _log.info(text, self._origin, reason)


def is_returned(request: PreparedRequest, result: object) -> bool:
    """Return True if the response has a checksum of the kind that was sent."""
    return getattr(result, f"checksum_{request.checksum}", None) is not None


def may_be_refusal(error: CosError) -> bool:
    """Return True if a service may have refused a request because of its checksum.

    Sending the request with another one shows whether it did.
    """
    if not isinstance(error, ServiceError):
        return False
    if error.status == 501:
        return True
    # An older service that requires a checksum in some bucket names only the one that it knows.
    text = error.message.lower()
    return error.status == 400 and error.code not in _ABOUT_THE_BYTES and ("checksum" in text or "content-md5" in text)


# The service has checked the body, and it arrived damaged.
_ABOUT_THE_BYTES = ("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch")
