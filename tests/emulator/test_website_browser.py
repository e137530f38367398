"""Websites of the emulator, loaded by Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest_asyncio
from tests.chromium import dom, screenshot, variety

from aiocos import Client, CorsRule, Redirect, RoutingCondition, RoutingRule, WebsiteConfiguration
from aiocos.emulator import Emulator

PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>{0}</title>
<style>body {{ font: 18px sans-serif; background: linear-gradient(#fff, #68a) }}</style></head>
<body><h1>{0}</h1><p id="seen"></p><script>document.getElementById("seen").textContent = "seen at " + location.pathname</script>
</body></html>"""


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def site(cos: Client) -> None:
    await cos.buckets.create("site", acl="public-read")
    rule = RoutingRule(condition=RoutingCondition(key_prefix_equals="old/"), redirect=Redirect(replace_key_prefix_with="new/"))
    await cos.website.put("site", WebsiteConfiguration.of("index.html", "error.html", [rule]))
    for key, title in {"index.html": "The front page", "error.html": "Nothing here", "new/page.html": "The new place"}.items():
        await cos.objects.put("site", key, PAGE.format(title).encode(), content_type="text/html")


async def test_index_error_page_and_routing_rule(cos_emulator: Emulator, tmp_path: Path) -> None:
    url = cos_emulator.website_endpoint("site")
    shown = await dom(url, tmp_path / "profile")
    assert "<h1>The front page</h1>" in shown
    assert "seen at /</p>" in shown
    shown = await dom(f"{url}missing", tmp_path / "profile")
    assert "<h1>Nothing here</h1>" in shown
    assert "seen at /missing</p>" in shown
    shown = await dom(f"{url}old/page.html", tmp_path / "profile")
    assert "<h1>The new place</h1>" in shown
    assert "seen at /new/page.html</p>" in shown
    pages = [served for served in cos_emulator.requests if served.operation == "Website" and served.key != "favicon.ico"]
    assert [served.status for served in pages] == [200, 404, 301, 200]


async def test_a_screenshot_of_the_site(cos_emulator: Emulator, tmp_path: Path) -> None:
    await screenshot(cos_emulator.website_endpoint("site"), tmp_path / "profile", tmp_path / "site.png")
    assert variety((tmp_path / "site.png").read_bytes()) > 20


SCRIPT = """<!DOCTYPE html><html><body><p id="out">waiting</p><script>
const out = document.getElementById("out");
fetch("{0}", {{method: "{1}", headers: {{"x-amz-meta-who": "script"}}, body: {2}}})
  .then(async answer => out.textContent = "answer " + answer.status + " " + answer.headers.get("ETag"))
  .catch(error => out.textContent = "refused " + error.name);
</script></body></html>"""


async def test_cors_rules_let_scripts_of_the_site_write(cos_emulator: Emulator, cos: Client, tmp_path: Path) -> None:
    """The page and the service have different origins: Chromium sends a preflight before the PUT."""
    await cos.buckets.create("data", acl="public-read-write")
    script = SCRIPT.format(f"{cos_emulator.endpoint}/data/written", "PUT", '"by a script"')
    await cos.objects.put("site", "script.html", script.encode(), content_type="text/html")
    page = f"{cos_emulator.website_endpoint('site')}script.html"
    assert "refused TypeError" in await dom(page, tmp_path / "profile")
    assert not await cos.objects.exists("data", "written")
    origin = cos_emulator.website_endpoint("site").rstrip("/")
    allowed = CorsRule(allowed_methods=["PUT"], allowed_origins=[origin], allowed_headers=["x-amz-*"], expose_headers=["ETag"])
    await cos.cors.put("data", [allowed])
    shown = await dom(page, tmp_path / "profile")
    info = await cos.objects.head("data", "written")
    assert f"answer 200 {info.etag}".replace('"', "&quot;") in shown.replace('"', "&quot;")
    assert info.metadata == {"who": "script"}
    assert await cos.objects.read("data", "written") == b"by a script"
