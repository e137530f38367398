"""Credentials of a client: which of them are used."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from tests.ibm_boto3.both_clients import hmac_keys

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import Config, exceptions


async def test_credentials_that_are_used(cos_emulator: Emulator) -> None:
    """An API key, HMAC keys, both with either signature, a function, a manager: as the server sees them."""
    iam = {
        "ibm_api_key_id": cos_emulator.api_key,
        "ibm_service_instance_id": cos_emulator.service_instance_id,
        "ibm_auth_endpoint": cos_emulator.iam_endpoint,
        "endpoint_url": cos_emulator.endpoint,
    }

    async def token() -> str:
        async with aiohttp.ClientSession() as session:
            form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": cos_emulator.api_key}
            async with session.post(cos_emulator.iam_endpoint, data=form) as answer:
                return (await answer.json())["access_token"]

    value, asked = await token(), []

    def function() -> dict[str, Any]:
        asked.append("function")
        return {"access_token": value, "refresh_token": "…", "token_type": "Bearer", "expires_in": 3600, "expiration": 0}

    class Manager:
        def get_token(self) -> str:
            asked.append("manager")
            return value

    async def works(**arguments: Any) -> str:
        async with ibm_boto3.client("s3", **arguments) as client:
            await client.list_buckets()
            await client.list_buckets()
            return "tokens" if any(s.operation == "CreateToken" for s in list(cos_emulator.requests)[-3:]) else "none"

    elsewhere = {"endpoint_url": cos_emulator.endpoint, "ibm_service_instance_id": cos_emulator.service_instance_id}
    await works(**iam)
    await works(**iam, config=Config(signature_version="oauth"))
    assert await works(**hmac_keys(cos_emulator)) == "none"
    assert await works(**{**iam, **hmac_keys(cos_emulator)}, config=Config(signature_version="s3v4")) == "none"
    assert await works(**elsewhere, auth_function=function) == "none"
    assert asked == ["function"]
    assert await works(**elsewhere, token_manager=Manager()) == "none"
    assert asked == ["function", "manager", "manager"]
    session = ibm_boto3.Session(**{name: value for name, value in iam.items() if name != "endpoint_url"})
    async with session.client("s3", endpoint_url=cos_emulator.endpoint) as client:
        await client.list_buckets()
    with pytest.raises(exceptions.CredentialRetrievalError, match="auth_function raised KeyError"):
        await works(**elsewhere, auth_function=lambda: {}["secret"])
    with pytest.raises(exceptions.CredentialRetrievalError, match="returned no access_token"):
        await works(**elsewhere, auth_function=dict)
