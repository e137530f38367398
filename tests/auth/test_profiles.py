"""Trusted profiles, taken on in each way, at the emulator's IAM and its metadata service."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import aiocos
from aiocos import Client, ConfigError, CredentialsError, TrustedProfile
from aiocos.emulator import Emulator, Profile
from aiocos.emulator.faults import Status


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(metadata_port=0) as running, running.client() as cos:
        await cos.buckets.create("bucket")
        yield running


@pytest.fixture
async def profile(emulator: Emulator) -> Profile:
    return await emulator.add_trusted_profile("workload")


def client(emulator: Emulator, credentials: aiocos.Credentials) -> Client:
    return Client(endpoint=emulator.endpoint, iam_endpoint=emulator.iam_endpoint, credentials=credentials)


async def works(emulator: Emulator, credentials: aiocos.Credentials) -> None:
    async with client(emulator, credentials) as cos:
        await cos.objects.put("bucket", "key", b"by a workload")
        assert await cos.objects.read("bucket", "key") == b"by a workload"


async def test_a_compute_resource_reads_its_file_for_every_token(
    emulator: Emulator, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{profile.compute_token}\n")
    for named in ({"profile_id": profile.id}, {"profile_name": "workload"}):
        await works(emulator, TrustedProfile(token_file=file, **named))
    form = emulator.iam.requests[-1].form
    assert form["grant_type"] == "urn:ibm:params:oauth:grant-type:cr-token"
    assert "Authorization" not in emulator.iam.requests[-1].headers
    # The files of Kubernetes and Code Engine, the first that can be read.
    monkeypatch.setattr("aiocos.auth.profile.TOKEN_FILES", (str(tmp_path / "none"), str(file)))
    async with client(emulator, TrustedProfile(profile.id)) as cos:
        await cos.buckets.head("bucket")
        file.write_text("rotated, and not known to IAM")
        emulator.iam.expire_all()
        with pytest.raises(CredentialsError, match="BXNIM0439E") as caught:
            await cos.buckets.head("bucket")
        assert profile.id in str(caught.value)
        assert "rotated" not in str(caught.value)
        file.write_text(profile.compute_token)


async def test_a_file_that_is_not_there(emulator: Emulator, profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    for name, reason in {"none": "No such file", "empty": "empty"}.items():
        async with client(emulator, TrustedProfile(profile.id, token_file=tmp_path / name)) as cos:
            with pytest.raises(CredentialsError, match=rf"no token of a compute resource in .*{name} \({reason}"):
                await cos.buckets.head("bucket")
    assert len(emulator.iam.requests) == 1  # the fixture's


@pytest.mark.parametrize("version", ["2022-03-01", "2025-08-26"])
@pytest.mark.parametrize("named", ["id", "crn", "name", "linked"])
async def test_a_virtual_server(emulator: Emulator, profile: Profile, version: Any, named: str) -> None:
    await emulator.add_trusted_profile("other", "Reader")
    names = {} if named == "linked" else {f"profile_{named}": getattr(profile, named)}
    await works(emulator, TrustedProfile(vpc=version, metadata_endpoint=emulator.metadata_endpoint, **names))
    folder = "identity" if version == "2025-08-26" else "instance_identity"
    assert emulator.metadata.requests == [
        f"PUT /{folder}/v1/token?version={version}",
        f"POST /{folder}/v1/iam_token{'s' if version == '2025-08-26' else ''}?version={version}",
    ]


async def test_a_virtual_server_without_the_profile(emulator: Emulator) -> None:
    async with client(emulator, TrustedProfile("Profile-x", vpc=True, metadata_endpoint=emulator.metadata_endpoint)) as cos:
        with pytest.raises(CredentialsError, match="trusted_profile_not_found") as caught:
            await cos.buckets.head("bucket")
    assert caught.value.status == 400


@pytest.mark.parametrize("named", ["id", "crn", "name"])
async def test_an_api_key_assumes_a_profile(emulator: Emulator, profile: Profile, named: str) -> None:
    names = {f"profile_{named}": getattr(profile, named)}
    if named == "name":
        names["account_id"] = profile.account
    emulator.iam.requests.clear()
    await works(emulator, TrustedProfile(api_key=emulator.api_key, **names))
    assert [r.grant_type.rpartition(":")[2] for r in emulator.iam.requests] == ["apikey", "assume"]
    other = await emulator.add_instance()
    async with client(emulator, TrustedProfile(api_key=other.api_key, **names)) as cos:
        with pytest.raises(CredentialsError, match="BXNIM0439E"):
            await cos.buckets.head("bucket")


async def test_the_role_of_a_profile(emulator: Emulator, tmp_path: Path) -> None:
    reader = await emulator.add_trusted_profile("reader", "Reader")
    (tmp_path / "token").write_text(reader.compute_token)
    async with client(emulator, TrustedProfile(reader.id, token_file=tmp_path / "token")) as cos:
        await cos.buckets.head("bucket")
        with pytest.raises(aiocos.AccessDenied):
            await cos.objects.put("bucket", "key", b"")


async def test_profiles_share_tokens_and_refuse_as_keys_do(emulator: Emulator, profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(profile.compute_token)
    emulator.iam.requests.clear()
    emulator.faults.script([Status(429, retry_after=0, operation="CreateToken", times=2)])
    one = TrustedProfile(profile.id, token_file=tmp_path / "token")
    async with client(emulator, one) as a, client(emulator, pickle.loads(pickle.dumps(one))) as b:
        await a.buckets.head("bucket")
        await b.buckets.head("bucket")
    assert len(emulator.iam.requests) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "profile_id or profile_name"),
        ({"profile_crn": "crn:x"}, "profile_id or profile_name"),
        ({"profile_id": "p", "vpc": True, "api_key": "k"}, "vpc and api_key"),
        ({"profile_id": "p", "vpc": True, "token_file": "f"}, "token_file and vpc"),
        ({"profile_id": "p", "profile_name": "n", "vpc": True}, "one name of a profile"),
        ({"profile_id": "p", "vpc": "2020-01-01"}, "2022-03-01"),
        ({"profile_name": "n", "api_key": "k"}, "account_id"),
        ({"profile_id": "p", "account_id": "a", "api_key": "k"}, "account_id"),
        ({"profile_id": "p", "profile_crn": "c", "api_key": "k"}, "one of"),
        ({"profile_id": "p", "client_id": "c"}, "client_secret"),
        ({"profile_id": "p", "vpc": True, "metadata_endpoint": "http://host/path"}, "without a path"),
        ({"profile_id": "p", "iam_endpoint": "http://iam.example.com"}, "plain http"),
    ],
)
def test_what_cannot_work_is_refused_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrustedProfile(**given)


async def test_a_client_of_its_own_and_a_scope(emulator: Emulator) -> None:
    key = aiocos.ApiKey(emulator.api_key, client_id="me", client_secret="hush", scope="ibm openid containers")
    await works(emulator, key)
    request = emulator.iam.requests[-1]
    assert (request.headers["Authorization"], request.form["scope"]) == ("Basic bWU6aHVzaA==", "ibm openid containers")
    assert "hush" not in repr(key)


async def test_a_delegated_token(emulator: Emulator) -> None:
    async with emulator.client() as cos:
        token = await cos.delegated_token()
    assert emulator.iam.delegated[token.get_secret_value()][1] == "aspera_ats"
    assert token.get_secret_value() not in repr(token)
    form = emulator.iam.requests[-1].form
    assert (form["response_type"], form["receiver_client_ids"]) == ("delegated_refresh_token", "aspera_ats")
    async with emulator.client(hmac=True) as cos:
        with pytest.raises(CredentialsError, match="takes an API key"):
            await cos.delegated_token()


async def test_a_key_that_was_withdrawn_fails_fast_and_is_named(emulator: Emulator) -> None:
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
