"""Addresses: endpoints, and the host and path of a bucket and key."""

import ipaddress
import re
import socket
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from aiocos.errors import ConfigError

Network = Literal["public", "private", "direct"]
Style = Literal["path", "virtual"]

_DOMAIN = "cloud-object-storage.appdomain.cloud"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*")
_HOST = re.compile(r"[^\s\x00-\x20\x7f\\<>\"{}|^`]+")
# Bucket names that may become a label of the host name: any other name would change the host itself.
_BUCKET_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# The forms that the system's resolver reads as an IPv4 address: up to four numbers, decimal, octal or hexadecimal.
_NUMERIC = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9/._~-]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server of the service: scheme, host and port, without a path."""

    scheme: str
    """`https` or `http`."""
    host: str
    """Host name or address, with the port unless it is the default port of the scheme."""
    origin: str = field(init=False, repr=False, compare=False)
    """`scheme://host[:port]`, computed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", f"{self.scheme}://{self.host}")

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Parse a URL or a bare host name (https). Raise `ConfigError` for anything else."""
        url = text.strip()
        try:
            parts = urlsplit(url if "://" in url else f"https://{url}")
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"the endpoint {text!r} cannot be parsed: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or not _HOST.fullmatch(parts.hostname):
            raise ConfigError(f"the endpoint {text!r} is not an http or https URL")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ConfigError(f"the endpoint {text!r} has more than a host: pass bucket and key to the methods instead")
        if parts.username or parts.password:
            raise ConfigError("the endpoint contains a user name: pass credentials by their own arguments")
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        default = {"http": 80, "https": 443}[parts.scheme]
        return cls(parts.scheme, name if port in (None, default) else f"{name}:{port}")

    @classmethod
    def of_region(cls, region: str, network: Network = "public") -> "Endpoint":
        """Return the endpoint of a location.

        https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-endpoints

        Args:
            region: A location such as `us-south`, `eu` or `ams03`. The list is open: only the form is checked.
            network: `public`, `private` (IBM Cloud classic network) or `direct` (VPC).

        Raises:
            ConfigError: The location or network is malformed.
        """
        if not _LABEL.fullmatch(region):
            raise ConfigError(f"{region!r} is not a location: expected a name such as us-south")
        if network not in ("public", "private", "direct"):
            raise ConfigError(f"{network!r} is not a network: expected public, private or direct")
        return cls("https", f"s3.{'' if network == 'public' else network + '.'}{region}.{_DOMAIN}")

    def locate(self, bucket: str | None, key: str | None, style: Style = "path") -> tuple[str, str]:
        """Return the origin and the path of a bucket and key.

        Everything but letters, digits and `-._~/` is percent-encoded.

        Args:
            bucket: Name of the bucket; None for the service itself.
            key: Key of the object; None for the bucket itself.
            style: `path` puts the bucket into the path, `virtual` into the host name (where the name allows it).
        """
        if bucket is None:
            return self.origin, "/"
        if style == "virtual" and _BUCKET_LABEL.fullmatch(bucket):
            return f"{self.scheme}://{bucket}.{self.host}", "/" if key is None else f"/{encode_key(key)}"
        path = _bucket_path(bucket)
        return self.origin, path if key is None else f"{path}/{encode_key(key)}"


@lru_cache(maxsize=64)
def is_loopback(host: str, *, listening: bool = False) -> bool:
    """Return True if a host name or address means this machine itself.

    Makes no DNS lookup. True for `localhost` and the names below it, 127.0.0.0/8, `::1`, and the forms that the system's
    resolver reads as one of them: `127.1`, `0x7f.1`, `::ffff:127.0.0.1`.

    Args:
        host: Host name or address, with or without the brackets of IPv6.
        listening: False to connect to the host: the unspecified address (`0.0.0.0`, `::`) then means this machine. True to
            listen on it: the unspecified address then means every network interface, and the result is False.
    """
    name = host.lower().removeprefix("[").removesuffix("]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if not _NUMERIC.fullmatch(name):
            return False
        try:
            address = ipaddress.ip_address(socket.inet_aton(name))
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or (mapped.is_unspecified and not listening)


def is_link_local(host: str) -> bool:
    """Return True if an address is link-local.

    The metadata service of a virtual server has one.
    """
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


@lru_cache(maxsize=64)
def is_exposed(origin: str) -> bool:
    """Return True if requests to an origin can be read on the network.

    They can if they go to another machine by plain http.
    """
    return not origin.startswith("https://") and not is_loopback(urlsplit(origin).hostname or "")


@lru_cache(maxsize=256)
def _bucket_path(bucket: str) -> str:
    return f"/{quote(bucket, safe='-._~')}"


def encode_key(key: str) -> str:
    """Percent-encode a key as UTF-8, except its slashes."""
    # Most keys need no encoding, and the check is several times cheaper than `quote`.
    return key if _PLAIN_KEY.fullmatch(key) else quote(key, safe="/-._~")


def split_path(raw_path: str) -> tuple[str | None, str | None]:
    """Return the bucket and key of an encoded path (path style).

    `/b` and `/b/` have no key. Nothing is normalized: `//` and `..` are parts of a key.
    """
    bucket, slash, key = raw_path.removeprefix("/").partition("/")
    if not bucket:
        return None, None
    return unquote(bucket, errors="strict"), unquote(key, errors="strict") if slash and key else None
