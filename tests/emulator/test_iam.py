"""IAM tokens: issued, refreshed, expired, refused."""

import base64
import json

import aiohttp

from aiocos.emulator import Emulator, Status

from .conftest import Raw

NEW_EMULATOR = True  # these tests change more than buckets and objects

APIKEY = "urn:ibm:params:oauth:grant-type:apikey"


async def ask(emulator: Emulator, session: aiohttp.ClientSession, path: str = "/identity/token", **form: str):
    async with session.post(f"{emulator.endpoint}{path}", data=form) as response:
        return response.status, await response.json(), response.headers


async def test_an_api_key_gets_a_token(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    for path in ("/identity/token", "/oidc/token"):
        status, body, _ = await ask(emulator, session, path, grant_type=APIKEY, apikey=emulator.api_key)
        assert status == 200
        assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "ibm openid")
        claims = json.loads(base64.urlsafe_b64decode(body["access_token"].split(".")[1] + "=="))
        assert claims["exp"] - claims["iat"] == 3600
        assert abs(body["expiration"] - emulator.clock.timestamp() - 3600) < 5
        headers = {"Authorization": f"bearer {body['access_token']}", "ibm-service-instance-id": emulator.service_instance_id}
        async with session.get(emulator.endpoint, headers=headers) as response:
            assert response.status == 200
    assert [r.grant_type for r in emulator.iam.requests] == [APIKEY, APIKEY]


async def test_a_refresh_token_gets_a_new_token(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    _, first, _ = await ask(emulator, session, grant_type=APIKEY, apikey=emulator.api_key)
    status, second, _ = await ask(emulator, session, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert status == 200
    assert second["access_token"] != first["access_token"]
    emulator.iam.refresh_tokens = False
    _, third, _ = await ask(emulator, session, grant_type=APIKEY, apikey=emulator.api_key)
    assert third["refresh_token"] == "not_supported"


async def test_invalid_token_requests_are_refused(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    for form, code in [
        ({"grant_type": APIKEY, "apikey": "wrong"}, "BXNIM0415E"),
        ({"grant_type": APIKEY}, "BXNIM0109E"),
        ({"grant_type": "nonsense"}, "BXNIM0106E"),
        ({}, "BXNIM0106E"),
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, "BXNIM0408E"),
    ]:
        status, body, _ = await ask(emulator, session, **form)
        assert (status, body["errorCode"]) == (400, code)
        assert body["errorMessage"]
        assert body["context"]["requestId"]


async def test_an_expired_token_is_refused(raw: Raw) -> None:
    assert (await raw.get("/")).status == 200
    raw.emulator.clock.advance(3601)
    expired = await raw.get("/")
    assert (expired.status, expired.code) == (401, "ExpiredToken")
    unknown = await raw.get("/", Authorization="Bearer nonsense")
    assert (unknown.status, unknown.code) == (401, "InvalidToken")
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    assert (await raw.get("/")).status == 200
    raw.emulator.iam.expire_all()
    assert (await raw.get("/")).status == 401


async def test_a_bucket_may_be_called_identity(raw: Raw) -> None:
    await raw.put("/identity")
    assert (await raw.put("/identity/token", b"an object")).status == 200
    assert (await raw.get("/identity/token")).body == b"an object"
    assert (await raw.post("/identity/token?uploads")).xml.tag == "InitiateMultipartUploadResult"


async def test_a_scripted_failure_of_the_token_service(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    emulator.faults.script([Status(429, retry_after=7, operation="CreateToken")])
    status, body, headers = await ask(emulator, session, grant_type=APIKEY, apikey=emulator.api_key)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert body["errorCode"]
    status, _, _ = await ask(emulator, session, grant_type=APIKEY, apikey=emulator.api_key)
    assert status == 200


async def test_secrets_are_not_in_representations(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    await ask(emulator, session, grant_type=APIKEY, apikey=emulator.api_key)
    shown = repr(emulator.iam.requests) + repr(emulator.instance) + repr(list(emulator.requests))
    assert emulator.api_key not in shown
    assert emulator.secret_access_key not in shown
