"""CORS rules, and the headers that browsers get."""

from __future__ import annotations

import pytest
import pytest_asyncio

import aiocos
from aiocos import Client, CorsRule
from aiocos.emulator import Emulator, Status

from .conftest import Raw, md5

SITE = "https://www.example.com"
RULES = [
    CorsRule(
        id="site",
        allowed_methods=["GET", "PUT"],
        allowed_origins=["https://*.example.com"],
        allowed_headers=["x-amz-*", "Content-Type"],
        expose_headers=["ETag", "x-amz-request-id"],
        max_age_seconds=600,
    ),
    CorsRule(allowed_methods=["HEAD"], allowed_origins=["*"]),
]


async def test_cors_rules_can_be_set_read_and_removed(cos: Client) -> None:
    await cos.buckets.create("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.cors.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchCORSConfiguration")
    await cos.cors.put("bucket", RULES)
    assert (await cos.cors.get("bucket")).rules == RULES
    await cos.cors.delete("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.cors.get("bucket")


def rule(**values: list[str]) -> CorsRule:
    return CorsRule.model_validate({"allowed_methods": ["GET"], "allowed_origins": ["*"], **values})


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "MalformedXML"),
        ([rule()] * 101, "MalformedXML"),
        ([rule(allowed_methods=["PATCH"])], "InvalidRequest"),
        ([rule(allowed_methods=["get"])], "InvalidRequest"),
        ([rule(allowed_origins=["*.*"])], "InvalidRequest"),
        ([rule(allowed_headers=["a*b*"])], "InvalidRequest"),
        ([rule(expose_headers=["x-*"])], "InvalidRequest"),
    ],
)
async def test_invalid_cors_rules_are_refused(cos: Client, rules: list[CorsRule], code: str) -> None:
    await cos.buckets.create("bucket")
    with pytest.raises(aiocos.InvalidRequest) as caught:
        await cos.cors.put("bucket", rules)
    assert (caught.value.status, caught.value.code) == (400, code)


async def test_cors_rules_need_a_checksum(raw: Raw) -> None:
    body = b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
    body += b"</CORSConfiguration>"
    assert (await raw.put("/bucket?cors", body)).code == "InvalidRequest"
    assert (await raw.put("/bucket?cors", body, Content_MD5=md5(body))).status == 200


@pytest_asyncio.fixture(loop_scope="module")
async def cors_rules(emulator: Emulator, raw: Raw) -> None:
    async with emulator.client() as cos:
        await cos.cors.put("bucket", RULES)


@pytest.mark.usefixtures("cors_rules")
async def test_a_preflight_returns_the_matching_rule(anonymous: Raw) -> None:
    for target in ("/bucket/key", "/bucket"):
        response = await anonymous.send(
            "OPTIONS",
            target,
            headers={
                "Origin": SITE,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "X-Amz-Meta-Who, content-type",
            },
        )
        assert response.status == 200
        allowed = {n.removeprefix("Access-Control-"): v for n, v in response.headers.items() if n.startswith("Access-Control-")}
        assert allowed == {
            "Allow-Origin": SITE,
            "Allow-Methods": "GET, PUT",
            "Allow-Credentials": "true",
            "Allow-Headers": "X-Amz-Meta-Who, content-type",
            "Expose-Headers": "ETag, x-amz-request-id",
            "Max-Age": "600",
        }
        assert response.headers["Vary"] == "Origin, Access-Control-Request-Headers, Access-Control-Allow-Methods"
    response = await anonymous.send(
        "OPTIONS", "/bucket/key", headers={"Origin": "null", "Access-Control-Request-Method": "HEAD"}
    )
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.usefixtures("cors_rules")
@pytest.mark.parametrize(
    ("target", "headers", "status", "code"),
    [
        ("/bucket/key", {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}, 403, "AccessDenied"),
        ("/bucket/key", {"Origin": SITE, "Access-Control-Request-Method": "DELETE"}, 403, "AccessDenied"),
        (
            "/bucket/key",
            {"Origin": SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-other"},
            403,
            "AccessDenied",
        ),
        ("/bucket/key", {"Access-Control-Request-Method": "GET"}, 400, "InvalidRequest"),
        ("/bucket/key", {"Origin": SITE}, 400, "InvalidRequest"),
        ("/nobody/key", {"Origin": SITE, "Access-Control-Request-Method": "GET"}, 404, "NoSuchBucket"),
        ("/", {"Origin": SITE, "Access-Control-Request-Method": "GET"}, 404, "NoSuchBucket"),
    ],
)
async def test_a_preflight_without_a_matching_rule_is_refused(
    anonymous: Raw, target: str, headers: dict[str, str], status: int, code: str
) -> None:
    response = await anonymous.send("OPTIONS", target, headers=headers)
    assert (response.status, response.code) == (status, code)
    assert not [name for name in response.headers if name.startswith("Access-Control-")]


@pytest.mark.usefixtures("cors_rules")
async def test_responses_to_an_allowed_origin_have_cors_headers(raw: Raw, anonymous: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    for response in (
        await raw.get("/bucket/key", Origin=SITE),
        await raw.get("/bucket/none", Origin=SITE),
        await anonymous.get("/bucket/key", Origin=SITE),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == SITE
        assert response.headers["Access-Control-Expose-Headers"] == "ETag, x-amz-request-id"
    raw.emulator.faults.script([Status(503, operation="GetObject")])
    refused = [
        await raw.get("/bucket/key", Origin=SITE),
        await raw.get("/bucket/key", Origin=SITE, Authorization="Bearer unknown"),
        await raw.get("/bucket/key", Origin=SITE, Authorization="Basic eA=="),
        await raw.get(f"/bucket/{'k' * 1025}", Origin=SITE),
    ]
    assert [response.status for response in refused] == [503, 401, 403, 400]
    for response in refused:
        # Without this header, the browser hides even the error from the script.
        assert response.headers["Access-Control-Allow-Origin"] == SITE
    for response in (await raw.get("/bucket/key"), await raw.get("/bucket/key", Origin="https://other.org")):
        assert "Access-Control-Allow-Origin" not in response.headers
    assert (await raw.head("/bucket/key", Origin="https://other.org")).headers["Access-Control-Allow-Origin"] == "*"
