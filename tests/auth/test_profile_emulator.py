"""Trusted profiles at the emulator's IAM and metadata service, in each way of authentication."""

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


def client_for(emulator: Emulator, credentials: aiocos.Credentials) -> Client:
    return Client(endpoint=emulator.endpoint, iam_endpoint=emulator.iam_endpoint, credentials=credentials)


async def check_access(emulator: Emulator, credentials: aiocos.Credentials) -> None:
    async with client_for(emulator, credentials) as cos:
        await cos.objects.put("bucket", "key", b"by a workload")
        assert await cos.objects.read("bucket", "key") == b"by a workload"


async def test_compute_resource_reads_its_token_file_for_every_token(
    emulator: Emulator, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{profile.compute_token}\n")
    for named in ({"profile_id": profile.id}, {"profile_name": "workload"}):
        await check_access(emulator, TrustedProfile(token_file=file, **named))
    form = emulator.iam.requests[-1].form
    assert form["grant_type"] == "urn:ibm:params:oauth:grant-type:cr-token"
    assert "Authorization" not in emulator.iam.requests[-1].headers
    # The files of Kubernetes and Code Engine, the first that can be read.
    monkeypatch.setattr("aiocos.auth.profile.TOKEN_FILES", (str(tmp_path / "none"), str(file)))
    async with client_for(emulator, TrustedProfile(profile.id)) as cos:
        await cos.buckets.head("bucket")
        file.write_text("rotated, and not known to IAM")
        emulator.iam.expire_all()
        with pytest.raises(CredentialsError, match="BXNIM0439E") as caught:
            await cos.buckets.head("bucket")
        assert profile.id in str(caught.value)
        assert "rotated" not in str(caught.value)
        file.write_text(profile.compute_token)


async def test_missing_and_empty_token_files(emulator: Emulator, profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    for name, reason in {"none": "No such file", "empty": "empty"}.items():
        async with client_for(emulator, TrustedProfile(profile.id, token_file=tmp_path / name)) as cos:
            with pytest.raises(CredentialsError, match=rf"no token of a compute resource in .*{name} \({reason}"):
                await cos.buckets.head("bucket")
    assert len(emulator.iam.requests) == 1  # the fixture's


@pytest.mark.parametrize("version", ["2022-03-01", "2025-08-26"])
@pytest.mark.parametrize("named", ["id", "crn", "name", "linked"])
async def test_virtual_server(emulator: Emulator, profile: Profile, version: Any, named: str) -> None:
    await emulator.add_trusted_profile("other", "Reader")
    names = {} if named == "linked" else {f"profile_{named}": getattr(profile, named)}
    await check_access(emulator, TrustedProfile(vpc=version, metadata_endpoint=emulator.metadata_endpoint, **names))
    folder = "identity" if version == "2025-08-26" else "instance_identity"
    assert emulator.metadata.requests == [
        f"PUT /{folder}/v1/token?version={version}",
        f"POST /{folder}/v1/iam_token{'s' if version == '2025-08-26' else ''}?version={version}",
    ]


async def test_virtual_server_with_an_unknown_profile(emulator: Emulator) -> None:
    async with client_for(emulator, TrustedProfile("Profile-x", vpc=True, metadata_endpoint=emulator.metadata_endpoint)) as cos:
        with pytest.raises(CredentialsError, match="trusted_profile_not_found") as caught:
            await cos.buckets.head("bucket")
    assert caught.value.status == 400


@pytest.mark.parametrize("named", ["id", "crn", "name"])
async def test_api_key_assumes_a_profile(emulator: Emulator, profile: Profile, named: str) -> None:
    names = {f"profile_{named}": getattr(profile, named)}
    if named == "name":
        names["account_id"] = profile.account
    emulator.iam.requests.clear()
    await check_access(emulator, TrustedProfile(api_key=emulator.api_key, **names))
    assert [r.grant_type.rpartition(":")[2] for r in emulator.iam.requests] == ["apikey", "assume"]
    other = await emulator.add_instance()
    async with client_for(emulator, TrustedProfile(api_key=other.api_key, **names)) as cos:
        with pytest.raises(CredentialsError, match="BXNIM0439E"):
            await cos.buckets.head("bucket")


async def test_role_of_a_profile(emulator: Emulator, tmp_path: Path) -> None:
    reader = await emulator.add_trusted_profile("reader", "Reader")
    (tmp_path / "token").write_text(reader.compute_token)
    async with client_for(emulator, TrustedProfile(reader.id, token_file=tmp_path / "token")) as cos:
        await cos.buckets.head("bucket")
        with pytest.raises(aiocos.AccessDenied):
            await cos.objects.put("bucket", "key", b"")


async def test_equal_profiles_share_a_token(emulator: Emulator, profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(profile.compute_token)
    emulator.iam.requests.clear()
    emulator.faults.script([Status(429, retry_after=0, operation="CreateToken", times=2)])
    one = TrustedProfile(profile.id, token_file=tmp_path / "token")
    async with client_for(emulator, one) as a, client_for(emulator, pickle.loads(pickle.dumps(one))) as b:
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
def test_invalid_arguments_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrustedProfile(**given)
