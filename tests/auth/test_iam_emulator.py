"""API keys at the emulator's IAM: client id and scope, delegated tokens, deleted keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import aiocos
from aiocos import Client, CredentialsError
from aiocos.emulator import Emulator


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(metadata_port=0) as running, running.client() as cos:
        await cos.buckets.create("bucket")
        yield running


def client_for(emulator: Emulator, credentials: aiocos.Credentials) -> Client:
    return Client(endpoint=emulator.endpoint, iam_endpoint=emulator.iam_endpoint, credentials=credentials)


async def check_access(emulator: Emulator, credentials: aiocos.Credentials) -> None:
    async with client_for(emulator, credentials) as cos:
        await cos.objects.put("bucket", "key", b"by a workload")
        assert await cos.objects.read("bucket", "key") == b"by a workload"


async def test_client_id_and_scope(emulator: Emulator) -> None:
    key = aiocos.ApiKey(emulator.api_key, client_id="me", client_secret="hush", scope="ibm openid containers")
    await check_access(emulator, key)
    request = emulator.iam.requests[-1]
    assert (request.headers["Authorization"], request.form["scope"]) == ("Basic bWU6aHVzaA==", "ibm openid containers")
    assert "hush" not in repr(key)


async def test_delegated_token(emulator: Emulator) -> None:
    async with emulator.client() as cos:
        token = await cos.delegated_token()
    assert emulator.iam.delegated[token.get_secret_value()][1] == "aspera_ats"
    assert token.get_secret_value() not in repr(token)
    form = emulator.iam.requests[-1].form
    assert (form["response_type"], form["receiver_client_ids"]) == ("delegated_refresh_token", "aspera_ats")
    async with emulator.client(hmac=True) as cos:
        with pytest.raises(CredentialsError, match="takes an API key"):
            await cos.delegated_token()


async def test_deleted_key_is_not_retried(emulator: Emulator) -> None:
    async with emulator.client() as cos:
        await cos.buckets.head("bucket")
        emulator.iam.withdraw(emulator.api_key)
        asked = len(emulator.iam.requests)
        for _ in range(20):
            with pytest.raises(CredentialsError, match="BXNIM0415E") as caught:
                await cos.buckets.head("bucket")
        assert len(emulator.iam.requests) == asked + 1
    assert emulator.service_instance_id in str(caught.value)
    assert emulator.api_key not in str(caught.value)
