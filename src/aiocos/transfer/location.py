"""Parse and format `cos://bucket/key`.

Methods and commands that take local paths as well name locations in the service in this form.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeGuard

from aiocos.errors import ConfigError

SCHEME = "cos://"
"""The beginning of every location in the service."""


def is_cos_url(path: str | os.PathLike[str]) -> TypeGuard[str]:
    """Return True if `path` is text that begins with `cos://`; a `Path` never is."""
    return isinstance(path, str) and path.startswith(SCHEME)


def split(url: str) -> tuple[str, str]:
    """Return the bucket and the key of `url`, unchecked. Either may be empty."""
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    return bucket, key


def as_folder(key: str) -> str:
    """Return `key` with a slash at its end, as the prefix of what lies below it.

    An empty key, the whole bucket, stays empty.
    """
    return key if not key or key.endswith("/") else f"{key}/"


@dataclass(frozen=True, slots=True)
class CosLocation:
    """A bucket, and a key or a prefix in it.

    Everything after the bucket is the key, unchanged: nothing is decoded.
    """

    bucket: str
    """Name of the bucket. Never empty after `parse`."""
    key: str
    """The key of an object, or a prefix; empty for the bucket itself."""

    @classmethod
    def parse(cls, url: str) -> CosLocation:
        """Parse `cos://bucket/key`.

        Raises `ConfigError` if the scheme or the bucket is missing, or if the text cannot be encoded as UTF-8.
        """
        return cls(*parse_parts(url))

    @property
    def folder(self) -> str:
        """The key as a prefix: with a slash at its end, unless it is empty."""
        return as_folder(self.key)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


def parse_parts(url: str) -> tuple[str, str]:
    """Return bucket and key of `url` after all checks; see `CosLocation.parse`."""
    if not url.startswith(SCHEME):
        raise ConfigError(f"{url!r} is not a cos:// location; write cos://bucket/key")
    bucket, key = split(url)
    if not bucket:
        raise ConfigError(f"{url!r} names no bucket; write cos://bucket or cos://bucket/key")
    try:
        url.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{url!r} is not valid UTF-8, which keys must be") from None
    return bucket, key
