"""Where a bucket and key live: an endpoint, and the host and path they get there."""

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
# What may stand before a host: anything else would change the host instead of naming a bucket on it.
_BUCKET_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# What the system's resolver reads as an IPv4 address: up to four numbers, decimal, octal or hexadecimal.
_NUMERIC = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9/._~-]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server of the service: `scheme://host[:port]`, without a path."""

    scheme: str
    host: str  # with the port where it is not the scheme's own
    origin: str = field(init=False, repr=False, compare=False)
    """`scheme://host[:port]`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", f"{self.scheme}://{self.host}")

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Read a URL or a bare host name (then https); ConfigError where it is neither."""
        url = text.strip()
        try:
            parts = urlsplit(url if "://" in url else f"https://{url}")
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"the endpoint {text!r} cannot be read: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or not _HOST.fullmatch(parts.hostname):
            raise ConfigError(f"the endpoint {text!r} is no http or https URL")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ConfigError(f"the endpoint {text!r} has more than a host: give the bucket and key to the calls")
        if parts.username or parts.password:
            raise ConfigError("the endpoint holds a user name: credentials have arguments of their own")
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        default = {"http": 80, "https": 443}[parts.scheme]
        return cls(parts.scheme, name if port in (None, default) else f"{name}:{port}")

    @classmethod
    def of_region(cls, region: str, network: Network = "public") -> "Endpoint":
        """The endpoint of a location: `us-south`, `eu`, `ams03` … on the public, private or direct network."""
        if not _LABEL.fullmatch(region):
            raise ConfigError(f"{region!r} is no location")
        if network not in ("public", "private", "direct"):
            raise ConfigError(f"{network!r} is no network: public, private or direct")
        return cls("https", f"s3.{'' if network == 'public' else network + '.'}{region}.{_DOMAIN}")

    def locate(self, bucket: str | None, key: str | None, style: Style = "path") -> tuple[str, str]:
        """Return the origin and the path of a bucket and key; all but letters, digits and `-._~/` is percent-encoded."""
        if bucket is None:
            return self.origin, "/"
        if style == "virtual" and _BUCKET_LABEL.fullmatch(bucket):
            return f"{self.scheme}://{bucket}.{self.host}", "/" if key is None else f"/{encode_key(key)}"
        path = _bucket_path(bucket)
        return self.origin, path if key is None else f"{path}/{encode_key(key)}"


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine itself. Looks nothing up.

    `localhost` and the names below it, 127.0.0.0/8, `::1`, the unspecified address (which connects to this machine), and the
    forms that the system's resolver reads as one of them: `127.1`, `0x7f.1`, `::ffff:127.0.0.1`.
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
    return mapped.is_loopback or mapped.is_unspecified


def is_link_local(host: str) -> bool:
    """Tell whether an address belongs to this machine's own link: the metadata service of a virtual server, say."""
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


@lru_cache(maxsize=64)
def shows(origin: str) -> bool:
    """Tell whether what is sent to an origin can be read on the way: plain http to another machine."""
    return not origin.startswith("https://") and not is_loopback(urlsplit(origin).hostname or "")


@lru_cache(maxsize=256)
def _bucket_path(bucket: str) -> str:
    return f"/{quote(bucket, safe='-._~')}"


def encode_key(key: str) -> str:
    """Percent-encode a key as UTF-8, its slashes kept."""
    # Most keys need nothing, and the look is several times cheaper than the work.
    return key if _PLAIN_KEY.fullmatch(key) else quote(key, safe="/-._~")


def split_path(raw_path: str) -> tuple[str | None, str | None]:
    """Read bucket and key back from an encoded path (path style). `/b` and `/b/` have no key; nothing is normalised."""
    bucket, slash, key = raw_path.removeprefix("/").partition("/")
    if not bucket:
        return None, None
    return unquote(bucket, errors="strict"), unquote(key, errors="strict") if slash and key else None
