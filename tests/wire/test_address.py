"""Endpoints, and the journey of a key through a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from yarl import URL

from aiocos.config import ConfigError
from aiocos.wire.address import Endpoint, Style, split_path

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
def test_endpoint(text: str, origin: str) -> None:
    assert Endpoint.parse(text).origin == origin


@pytest.mark.parametrize(
    "text",
    ["", "ftp://h", "https://", "https://h/bucket", "https://h?x", "https://h#x", "https://h:x", "https://h:99999", "https://[::1",
     "https://u:p@h", "https://a b", "https://a\\b", "https://a|b"],
)  # fmt: skip
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ConfigError, match="endpoint"):
        Endpoint.parse(text)


def test_regions() -> None:
    assert Endpoint.of_region("us-south").host == "s3.us-south.cloud-object-storage.appdomain.cloud"
    assert Endpoint.of_region("eu", "private").host == "s3.private.eu.cloud-object-storage.appdomain.cloud"
    assert Endpoint.of_region("dal.us", "direct").host == "s3.direct.dal.us.cloud-object-storage.appdomain.cloud"
    for region in ("", "a/b", "evil.com/", "us_south", "-x", "a@b"):
        with pytest.raises(ConfigError, match="no location"):
            Endpoint.of_region(region)
    with pytest.raises(ConfigError, match="no network"):
        Endpoint.of_region("eu", "secret")  # type: ignore[arg-type]


def _journey(key: str, style: Style) -> str | None:
    """A key as the server reads it from the request line that a client of yarl writes."""
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
def test_an_odd_key_arrives_as_it_left(key: str, style: Style) -> None:
    assert _journey(key, style) == key


@given(keys)
def test_any_key_arrives_as_it_left(key: str) -> None:
    assert _journey(key, "path") == key
    assert _journey(key, "virtual") == key


@pytest.mark.parametrize("bucket", ["a.b", "A", "u@evil", "evil:80", "a b", "a\r\nb", "ü", "a\\b", "-a", "a_b", "%2F"])
def test_only_a_plain_name_stands_before_the_host(bucket: str) -> None:
    origin, path = Endpoint.parse("https://host").locate(bucket, "k", "virtual")
    assert origin == "https://host"
    assert split_path(path) == (bucket, "k")


def test_service_and_bucket() -> None:
    endpoint = Endpoint.parse("https://host")
    assert endpoint.locate(None, None) == ("https://host", "/")
    assert endpoint.locate("b", None) == ("https://host", "/b")
    assert endpoint.locate("b", None, "virtual") == ("https://b.host", "/")


_PATHS = {"/": (None, None), "": (None, None), "/b": ("b", None), "/b/": ("b", None), "/b//": ("b", "/"), "/b/%2F": ("b", "/")}


@pytest.mark.parametrize(("path", "found"), _PATHS.items())
def test_split_path(path: str, found: tuple[str | None, str | None]) -> None:
    assert split_path(path) == found


def test_a_path_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(ValueError):
        split_path("/b/%FF")
