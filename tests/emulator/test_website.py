"""The website endpoint, with requests as a browser sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

import aiocos
from aiocos import (
    Client,
    LifecycleRule,
    Redirect,
    RedirectAll,
    RoutingCondition,
    RoutingRule,
    WebsiteConfiguration,
)
from aiocos.emulator import Emulator

RULES = [
    RoutingRule(condition=RoutingCondition(key_prefix_equals="old/"), redirect=Redirect(replace_key_prefix_with="docs/")),
    RoutingRule(
        condition=RoutingCondition(key_prefix_equals="gone/", http_error_code_returned_equals="404"),
        redirect=Redirect(host_name="example.com", protocol="https", replace_key_with="sorry.html", http_redirect_code="307"),
    ),
]


@dataclass
class Page:
    status: int
    headers: aiohttp.typedefs.LooseHeaders
    text: str

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")  # type: ignore[union-attr]


class Browser:
    """A client that sends requests to the website port with the site's host name, without resolving it."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self._emulator = emulator
        self._session = session

    async def ask(self, path: str, *, bucket: str = "site", method: str = "GET", **headers: str) -> Page:
        port = self._emulator.website_endpoint(bucket).rpartition(":")[2].rstrip("/")
        host = {"Host": f"{bucket}.s3-web.localhost:{port}"}
        url = aiohttp.client.URL(f"http://127.0.0.1:{port}{path}", encoded=True)
        given = {n.replace("_", "-"): v for n, v in headers.items()}
        async with self._session.request(method, url, headers=host | given, allow_redirects=False) as response:
            return Page(response.status, response.headers, await response.text())


@pytest_asyncio.fixture(loop_scope="module")
async def browser(cos_emulator: Emulator, cos: Client) -> AsyncIterator[Browser]:
    """A browser for a public site with an index, an error page and routing rules."""
    await cos.buckets.create("site", acl="public-read")
    await cos.website.put("site", WebsiteConfiguration.of("index.html", "error.html", RULES))
    for key in ("index.html", "error.html", "docs/index.html", "docs/page one.html"):
        await cos.objects.put("site", key, f"<h1>{key}</h1>".encode(), content_type="text/html")
    async with aiohttp.ClientSession() as session:
        yield Browser(cos_emulator, session)


async def test_index_documents_and_objects_are_served(browser: Browser) -> None:
    for path, key in {
        "/": "index.html",
        "/index.html": "index.html",
        "/docs/": "docs/index.html",
        "/docs/page%20one.html": "docs/page one.html",
        "/?a=b&acl": "index.html",
    }.items():
        page = await browser.ask(path)
        assert (page.status, page.text, page.headers["Content-Type"]) == (200, f"<h1>{key}</h1>", "text/html")
    head = await browser.ask("/", method="HEAD")
    assert (head.status, head.text, head.headers["Content-Length"]) == (200, "", "19")
    page = await browser.ask("/docs")
    assert (page.status, page.location) == (302, "/docs/")


async def test_conditions_and_ranges_of_pages(browser: Browser) -> None:
    etag = (await browser.ask("/")).headers["ETag"]
    page = await browser.ask("/", If_None_Match=etag)
    assert (page.status, page.text, page.headers["ETag"]) == (304, "", etag)
    page = await browser.ask("/", Range="bytes=0-3")
    assert (page.status, page.text, page.headers["Content-Range"]) == (206, "<h1>", "bytes 0-3/19")
    assert (await browser.ask("/", Range="bytes=99-")).status == 416


async def test_a_folder_name_that_begins_with_a_slash(browser: Browser, cos: Client) -> None:
    await cos.objects.put("site", "/docs/index.html", b"x")
    page = await browser.ask("//docs")
    # A redirect to `//docs/` would send browsers to a host called docs.
    assert (page.status, page.location) == (302, f"http://site.s3-web.localhost:{_port(browser)}//docs/")


async def test_dates_follow_the_clock_and_host_names_ignore_case(
    browser: Browser, cos: Client, cos_emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    cos_emulator.clock.advance(days=400)
    url = f"http://127.0.0.1:{_port(browser)}/"
    async with session.get(url, headers={"Host": f"SITE.S3-Web.LocalHost:{_port(browser)}"}) as response:
        assert response.status == 200
        year = response.headers["Date"].split()[3]
        assert year == str(cos_emulator.clock.now().year)
        assert response.headers["x-amz-request-id"] == cos_emulator.requests[-1].request_id
    assert (await browser.ask("/")).headers["x-amz-request-id"] != response.headers["x-amz-request-id"]


async def test_an_expired_page_is_not_served(browser: Browser, cos: Client, cos_emulator: Emulator) -> None:
    await cos.objects.put("site", "tmp/page.html", b"x")
    await cos.lifecycle.put("site", [LifecycleRule.expire(days=1, prefix="tmp/")])
    assert (await browser.ask("/tmp/page.html")).status == 200
    cos_emulator.clock.advance(days=3)
    # The request to the site is the first one after the expiry.
    assert (await browser.ask("/tmp/page.html")).status == 404


async def test_error_pages(browser: Browser, cos: Client) -> None:
    page = await browser.ask("/missing", Range="bytes=0-1", If_None_Match="*")
    assert (page.status, page.text) == (404, "<h1>error.html</h1>")
    await cos.objects.delete("site", "error.html")
    page = await browser.ask("/<missing>")
    assert page.status == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<li>Code: NoSuchKey</li>" in page.text
    assert "&lt;missing&gt;" in page.text
    assert (await browser.ask("/missing", method="HEAD")).text == ""
    page = await browser.ask("/", method="POST")
    assert (page.status, page.headers["Allow"]) == (405, "GET, HEAD")
    page = await browser.ask("/", If_Match='"other"')
    assert (page.status, "<h1>412 Precondition Failed</h1>" in page.text) == (412, True)
    assert (await browser.ask("/", method="PUT")).status == 405
    assert (await browser.ask("/%ff")).status == 400
    for bucket, code in {"none": "NoSuchBucket", "plain": "NoSuchWebsiteConfiguration"}.items():
        if bucket == "plain":
            await cos.buckets.create(bucket, acl="public-read")
        page = await browser.ask("/", bucket=bucket)
        assert page.status == 404
        assert code in page.text
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{_port(browser)}/site/index.html") as response,
    ):
        assert response.status == 404  # a site has its own host: bucket paths do not work


def _port(browser: Browser) -> str:
    return browser._emulator.website_endpoint("x").rpartition(":")[2].rstrip("/")


async def test_routing_rules(browser: Browser) -> None:
    page = await browser.ask("/old/page%20one.html")
    assert page.status == 301
    assert page.location == f"http://site.s3-web.localhost:{_port(browser)}/docs/page%20one.html"
    page = await browser.ask("/gone/x")
    assert (page.status, page.location) == (307, "https://example.com/sorry.html")
    assert (await browser.ask("/other/x")).status == 404


async def test_redirect_all_requests(browser: Browser, cos: Client) -> None:
    elsewhere = RedirectAll(host_name="example.com", protocol="https")
    await cos.website.put("site", WebsiteConfiguration(redirect_all_requests_to=elsewhere))
    page = await browser.ask("/a%20b?c=d")
    assert (page.status, page.location) == (301, "https://example.com/a%20b?c=d")


async def test_redirect_location_of_an_object(browser: Browser, cos: Client) -> None:
    await cos.objects.put("site", "moved", b"", website_redirect_location="/docs/")
    page = await browser.ask("/moved")
    assert (page.status, page.location) == (301, "/docs/")


async def test_private_objects_are_not_served(browser: Browser, cos: Client) -> None:
    await cos.acl.put_bucket("site", acl="private")
    await cos.acl.put_object("site", "index.html", acl="public-read")
    assert (await browser.ask("/")).status == 200
    page = await browser.ask("/docs/")
    assert page.status == 403
    assert "AccessDenied" in page.text  # the error page is private too
    await cos.acl.put_object("site", "error.html", acl="public-read")
    page = await browser.ask("/docs/")
    assert (page.status, page.text) == (403, "<h1>error.html</h1>")
    await cos.public_access.put("site", aiocos.PublicAccessBlockConfiguration(ignore_public_acls=True))
    assert (await browser.ask("/")).status == 403


async def test_an_archived_page_is_not_served(browser: Browser, cos: Client) -> None:
    await cos.lifecycle.put("site", [LifecycleRule.archive(days=0)])
    await cos.objects.put("site", "cold.html", b"x")
    await cos.objects.put("site", "error.html", b"x")
    page = await browser.ask("/cold.html")
    assert page.status == 403
    assert "InvalidObjectState" in page.text


async def test_a_large_page_is_streamed(browser: Browser, cos: Client) -> None:
    await cos.upload("site", "large.bin", b"0123456789" * 1_200_000, part_size=5 * 1024 * 1024)
    page = await browser.ask("/large.bin")
    assert page.text == "0123456789" * 1_200_000


@pytest.mark.parametrize("off", [None, False])
async def test_an_emulator_without_website_port(off: bool | None) -> None:
    async with Emulator(website_port=off) as emulator:
        with pytest.raises(aiocos.ConfigError, match="serves no websites"):
            emulator.website_endpoint("site")


# ---------------------------------------------------------------------------------------------------------------------
# The configuration


async def test_a_website_configuration_is_returned_as_it_was_set(cos: Client) -> None:
    await cos.buckets.create("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.website.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchWebsiteConfiguration")
    given = WebsiteConfiguration.of("index.html", "error.html", RULES)
    await cos.website.put("bucket", given)
    found = await cos.website.get("bucket")
    assert found.model_copy(update={"request_id": None}) == given
    await cos.website.put("bucket", found)
    await cos.website.delete("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.website.get("bucket")
    await cos.website.delete("bucket")


_ALL = RedirectAll(host_name="example.com")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (WebsiteConfiguration(), "MalformedXML"),
        (WebsiteConfiguration(redirect_all_requests_to=_ALL, error_document={"key": "e"}), "MalformedXML"),  # type: ignore[arg-type]
        (WebsiteConfiguration(redirect_all_requests_to=_ALL, routing_rules=RULES), "MalformedXML"),
        (WebsiteConfiguration(redirect_all_requests_to=RedirectAll(host_name="")), "InvalidArgument"),
        (WebsiteConfiguration.of(""), "InvalidArgument"),
        (WebsiteConfiguration.of("a/b"), "InvalidArgument"),
        (WebsiteConfiguration.of("i", ""), "InvalidArgument"),
        (WebsiteConfiguration.of("i", rules=[RoutingRule(redirect=Redirect())]), "InvalidArgument"),
        (
            WebsiteConfiguration.of(
                "i", rules=[RoutingRule(redirect=Redirect(replace_key_with="a", replace_key_prefix_with="b"))]
            ),
            "InvalidArgument",
        ),
        (WebsiteConfiguration.of("i", rules=[RoutingRule(redirect=Redirect(http_redirect_code="200"))]), "InvalidArgument"),
        (
            WebsiteConfiguration.of(
                "i", rules=[RoutingRule(condition=RoutingCondition(), redirect=Redirect(host_name="example.com"))]
            ),
            "InvalidArgument",
        ),
        (
            WebsiteConfiguration.of(
                "i",
                rules=[
                    RoutingRule(
                        condition=RoutingCondition(http_error_code_returned_equals="200"),
                        redirect=Redirect(host_name="example.com"),
                    )
                ],
            ),
            "InvalidArgument",
        ),
    ],
)
async def test_invalid_website_configurations_are_refused(cos: Client, given: WebsiteConfiguration, code: str) -> None:
    await cos.buckets.create("bucket")
    with pytest.raises(aiocos.InvalidRequest) as caught:
        await cos.website.put("bucket", given)
    assert (caught.value.status, caught.value.code) == (400, code)
