"""Tests of `aiocos.wire.address`: endpoints, and keys in URLs."""

from __future__ import annotations

import pytest
from hypothesis import given
from yarl import URL

from aiocos.config import ConfigError
from aiocos.wire.address import Endpoint, Style, encode_key, is_exposed, is_link_local, is_loopback, split_path

from .strategies import ODD_KEYS, keys

_HOSTS = {
    "https://s3.us-south.cloud-object-storage.appdomain.cloud": "https://s3.us-south.cloud-object-storage.appdomain.cloud",
    "s3.eu.cloud-object-storage.appdomain.cloud": "https://s3.eu.cloud-object-storage.appdomain.cloud",
    "localhost:9000": "https://localhost:9000",
    "http://127.0.0.1:80/": "http://127.0.0.1",
    "https://Host.Example:443": "https://host.example",
    "https://host.example:80": "https://host.example:80",
    "http://[::1]:9000": "http://[::1]:9000",
    "  http://h  ": "http://h",
}


@pytest.mark.parametrize(("text", "origin"), _HOSTS.items())
def test_parse_endpoint(text: str, origin: str) -> None:
    assert Endpoint.parse(text).origin == origin


@pytest.mark.parametrize(
    "text",
    ["", "ftp://h", "https://", "https://h/bucket", "https://h?x", "https://h#x", "https://h:x", "https://h:99999", "https://[::1",
     "https://u:p@h", "https://a b", "https://a\\b", "https://a|b"],
)  # fmt: skip
def test_invalid_endpoints_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="endpoint"):
        Endpoint.parse(text)


def test_endpoints_of_locations_and_networks() -> None:
    assert Endpoint.of_region("us-south").host == "s3.us-south.cloud-object-storage.appdomain.cloud"
    assert Endpoint.of_region("eu", "private").host == "s3.private.eu.cloud-object-storage.appdomain.cloud"
    assert Endpoint.of_region("dal.us", "direct").host == "s3.direct.dal.us.cloud-object-storage.appdomain.cloud"
    for region in ("", "a/b", "evil.com/", "us_south", "-x", "a@b"):
        with pytest.raises(ConfigError, match="is not a location"):
            Endpoint.of_region(region)
    with pytest.raises(ConfigError, match="is not a network"):
        Endpoint.of_region("eu", "secret")  # type: ignore[arg-type]


def _through_url(key: str, style: Style) -> str | None:
    """Return the key that a server reads from a request line written by yarl."""
    origin, path = Endpoint.parse("http://host:9000").locate("buck", key, style)
    url = URL(f"{origin}{path}?acl", encoded=True)
    assert url.raw_query_string == "acl"
    assert url.raw_path.isascii()
    if style == "path":
        assert url.raw_authority == "host:9000"
        bucket, found = split_path(url.raw_path)
        assert bucket == "buck"
        return found
    assert url.raw_authority == "buck.host:9000"
    return split_path("/buck" + url.raw_path)[1]


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_unusual_keys_survive_the_url(key: str, style: Style) -> None:
    assert _through_url(key, style) == key


@given(keys)
def test_any_key_survives_the_url(key: str) -> None:
    assert _through_url(key, "path") == key
    assert _through_url(key, "virtual") == key


@pytest.mark.parametrize("bucket", ["a.b", "A", "u@evil", "evil:80", "a b", "a\r\nb", "ü", "a\\b", "-a", "a_b", "%2F"])
def test_unusual_bucket_names_are_not_put_into_the_host(bucket: str) -> None:
    origin, path = Endpoint.parse("https://host").locate(bucket, "k", "virtual")
    assert origin == "https://host"
    assert split_path(path) == (bucket, "k")


def test_locate_service_and_bucket() -> None:
    endpoint = Endpoint.parse("https://host")
    assert endpoint.locate(None, None) == ("https://host", "/")
    assert endpoint.locate("b", None) == ("https://host", "/b")
    assert endpoint.locate("b", None, "virtual") == ("https://b.host", "/")


_PATHS = {"/": (None, None), "": (None, None), "/b": ("b", None), "/b/": ("b", None), "/b//": ("b", "/"), "/b/%2F": ("b", "/")}


@pytest.mark.parametrize(("path", "found"), _PATHS.items())
def test_split_path(path: str, found: tuple[str | None, str | None]) -> None:
    assert split_path(path) == found


def test_a_path_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ValueError):
        split_path("/b/%FF")


# ---------------------------------------------------------------------------------------------------------------------
# Kinds of addresses


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.255.255.254", "::1", "[::1]", "0.0.0.0", "::",
        "127.1", "0x7f.1", "0x7F000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0x0.01", "::ffff:127.0.0.1",
        "::ffff:0.0.0.0", "0",
    ],
)  # fmt: skip
def test_loopback_hosts(host: str) -> None:
    assert is_loopback(host) is True
    origin = f"[{host}]" if ":" in host and "[" not in host else host
    assert not is_exposed(f"http://{origin}:9000")


@pytest.mark.parametrize(
    "host",
    [
        "", "localhost.example", "notlocalhost", "128.0.0.1", "126.255.255.255", "::2", "1.1", "0x80.1", "1.2.3.4.5",
        "127.0.0.1.x", "127.0.0.1.example", "0x", "999.1", "127.0.0.256", "::ffff:10.0.0.1", "fe80::1", "10.0.0.1",
        "x127.1", "127.1x",
    ],
)  # fmt: skip
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert is_loopback(host) is False


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "0", "::ffff:0.0.0.0"])
def test_a_server_on_the_unspecified_address_listens_on_every_interface(host: str) -> None:
    assert is_loopback(host) is True
    assert is_loopback(host, listening=True) is False
    assert is_loopback("127.0.0.1", listening=True) is is_loopback("localhost", listening=True) is True


@pytest.mark.parametrize(
    ("host", "is_link"),
    [("169.254.169.254", True), ("fe80::1", True), ("169.253.0.1", False), ("::1", False), ("host", False), ("", False)],
)
def test_link_local_addresses(host: str, is_link: bool) -> None:
    assert is_link_local(host) is is_link


@pytest.mark.parametrize(
    ("origin", "can_be_read"),
    [
        ("https://cos.example", False), ("http://cos.example", True), ("http://10.0.0.1:9000", True),
        ("http://localhost:9000", False), ("http://[::1]:9000", False), ("https://10.0.0.1", False), ("http://", True),
    ],
)  # fmt: skip
def test_plain_http_to_another_machine_shows_the_request(origin: str, can_be_read: bool) -> None:
    assert is_exposed(origin) is can_be_read


def test_endpoints_are_equal_by_scheme_and_host() -> None:
    endpoint = Endpoint.parse("http://[FE80::1]:443")
    assert (endpoint.scheme, endpoint.host, endpoint.origin) == ("http", "[fe80::1]:443", "http://[fe80::1]:443")
    assert endpoint == Endpoint("http", "[fe80::1]:443")
    assert "origin" not in repr(endpoint)
    assert Endpoint.parse("https://h:443").host == Endpoint.parse("http://h:80").host == Endpoint.parse("h").host == "h"
    assert (Endpoint.parse("https://h:442").host, Endpoint.parse("http://h:81").host) == ("h:442", "h:81")


@pytest.mark.parametrize("text", ["https://:p@h", "https://u@h", "https://h/?", "https://h/a", "https://h/?x", "https://h/#x"])
def test_an_endpoint_with_more_than_a_host_is_refused(text: str) -> None:
    if text == "https://h/?":
        assert Endpoint.parse(text).origin == "https://h"
        return
    with pytest.raises(ConfigError, match=r"more than a host|user name"):
        Endpoint.parse(text)


@pytest.mark.parametrize("region", ["a", "a-b", "a.b", "us-south", "eu.x-y", "1"])
def test_valid_locations(region: str) -> None:
    assert Endpoint.of_region(region) == Endpoint("https", f"s3.{region}.cloud-object-storage.appdomain.cloud")


@pytest.mark.parametrize("region", ["-a", "a-", "A", "a..", "a/"])
def test_invalid_locations_are_refused(region: str) -> None:
    with pytest.raises(ConfigError, match="is not a location"):
        Endpoint.of_region(region)


@pytest.mark.parametrize("bucket", ["a", "a-b", "1a", "a1"])
def test_a_plain_bucket_name_is_put_into_the_host(bucket: str) -> None:
    assert Endpoint.parse("https://h").locate(bucket, "k/ü", "virtual") == (f"https://{bucket}.h", "/k/%C3%BC")


def test_path_style_is_the_default() -> None:
    assert Endpoint.parse("https://h").locate("b", "-._~/ü+") == ("https://h", "/b/-._~/%C3%BC%2B")
    assert Endpoint.parse("https://h").locate("b/-._~", None) == ("https://h", "/b%2F-._~")
    assert encode_key("aZ09/._~-") == "aZ09/._~-"


@pytest.mark.parametrize("path", ["/%FF", "/b/%C3", "/%FF/k"])
def test_bucket_and_key_of_a_path_must_be_utf8(path: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        split_path(path)
