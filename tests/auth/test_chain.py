"""The search for credentials: the order of the places, and the `Chain` that searches at first use."""

from __future__ import annotations

import pickle

import aiohttp
import pytest
import yarl

from aiocos import Client
from aiocos.auth.base import Authorizer, AuthSettings, BearerToken, Credentials
from aiocos.auth.chain import Chain, resolve, settings_of
from aiocos.auth.iam import ApiKey, IamClient
from aiocos.auth.keys import DualCredentials, Hmac
from aiocos.auth.profile import TrustedProfile
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.message import Response

from .fakes import FakeIam, Issuer, outgoing
from .homes import AWS_ENV, CRN, IBM_ENV, SERVICE, Home, fill_all_places


def test_places_are_searched_in_order(home: Home) -> None:
    fill_all_places(home)
    key = ApiKey("env-key", "env-crn", "https://iam.test/oidc/token")
    assert home.resolve() == DualCredentials(key, Hmac("env-id", "env-secret", "env-session"))
    for name in AWS_ENV:
        del home.environ[name]
    assert home.resolve() == key
    home.environ |= AWS_ENV
    for name in IBM_ENV:
        del home.environ[name]
    assert home.resolve() == Hmac("env-id", "env-secret", "env-session")
    home.environ.clear()
    assert home.resolve() == ApiKey("file-key", CRN)
    (home.path / ".bluemix/cos_credentials").unlink()
    assert home.resolve() == Hmac("shared-id", "shared-secret")
    (home.path / ".aws/credentials").unlink()
    assert home.resolve() == ApiKey("config-key", "config-crn")
    (home.path / ".aws/config").unlink()
    with pytest.raises(CredentialsError) as raised:
        home.resolve()
    for place in ("IBM_API_KEY_ID", "AWS_ACCESS_KEY_ID", ".bluemix/cos_credentials", ".aws/credentials", ".aws/config"):
        assert place in str(raised.value)


def test_empty_variables_count_as_missing(home: Home) -> None:
    home.environ = dict.fromkeys([*IBM_ENV, *AWS_ENV, "COS_CREDENTIALS_FILE", "AWS_PROFILE"], "")
    home.service(SERVICE)
    assert home.resolve() == ApiKey("file-key", CRN)


@pytest.mark.parametrize("half", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_incomplete_hmac_keys_in_the_environment_are_an_error(home: Home, half: str) -> None:
    fill_all_places(home)
    home.environ = {half: "s3cr3t"}
    with pytest.raises(ConfigError, match=r"environment.*: no ") as raised:
        home.resolve()
    assert "s3cr3t" not in str(raised.value)
    home.environ |= IBM_ENV
    assert isinstance(home.resolve(), ApiKey), "the API key comes first"


def test_api_key_beside_incomplete_hmac_keys(home: Home) -> None:
    home.environ = {"IBM_API_KEY_ID": "env-key", "AWS_ACCESS_KEY_ID": "other-key", "AWS_SECRET_ACCESS_KEY": CRN}
    assert home.resolve() == ApiKey("env-key"), "an API key and an instance id under AWS names are no HMAC keys"
    for half in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        home.environ = {"IBM_API_KEY_ID": "env-key", half: "left-behind"}
        assert home.resolve() == ApiKey("env-key"), "no call would be made with it"


def test_security_token_is_an_older_name_of_the_session_token(home: Home) -> None:
    pair = "[default]\naws_access_key_id=i\naws_secret_access_key=s\naws_security_token=old\n"
    home.write(".aws/credentials", pair)
    assert home.resolve() == Hmac("i", "s", "old")
    home.write(".aws/credentials", f"{pair}aws_session_token=new\n")
    assert home.resolve() == Hmac("i", "s", "new")
    home.environ = {"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SECURITY_TOKEN": "old"}
    assert home.resolve() == Hmac("i", "s", "old")
    home.environ["AWS_SESSION_TOKEN"] = "new"
    assert home.resolve() == Hmac("i", "s", "new")


def test_session_token_alone_is_ignored(home: Home) -> None:
    home.environ = {"AWS_SESSION_TOKEN": "left-behind"}
    home.write(".aws/credentials", "[default]\naws_session_token=left-behind\n")
    home.write(".aws/config", "[default]\nibm_api_key_id=k\n")
    assert home.resolve() == ApiKey("k")


def test_instance_id_as_the_secret_may_have_white_space_around_it(home: Home) -> None:
    home.environ = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": f" {CRN}\n"}
    assert home.resolve() == ApiKey("k", CRN)
    home.environ |= {"IBM_API_KEY_ID": "env-key"}
    assert home.resolve() == ApiKey("env-key")


async def test_client_from_the_environment_has_api_key_and_hmac_keys(
    cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = cos_emulator
    for name, value in {
        "AIOCOS_ENDPOINT": owner.endpoint,
        "IBM_API_KEY_ID": owner.api_key,
        "IBM_SERVICE_INSTANCE_ID": owner.service_instance_id,
        "IBM_AUTH_ENDPOINT": owner.iam_endpoint,
        "AWS_ACCESS_KEY_ID": owner.access_key_id,
        "AWS_SECRET_ACCESS_KEY": owner.secret_access_key,
        "AWS_SESSION_TOKEN": "",
    }.items():
        monkeypatch.setenv(name, value)
    async with Client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"data")
        url = cos.objects.presign("bucket", "key")
    assert f"X-Amz-Credential={owner.access_key_id}%2F" in url
    async with aiohttp.ClientSession() as http, http.get(yarl.URL(url, encoded=True)) as response:
        assert await response.read() == b"data"


@pytest.mark.parametrize("given", ["api_key", "credentials", "profile"])
async def test_endpoints_from_the_environment_apply_to_given_credentials(
    cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """An API key given in code is sent to the IAM endpoint of the environment, and calls to its service endpoint."""
    monkeypatch.setenv("AIOCOS_ENDPOINT", cos_emulator.endpoint)
    monkeypatch.setenv("IBM_AUTH_ENDPOINT", cos_emulator.iam_endpoint)
    if given == "profile":
        made = await cos_emulator.add_trusted_profile("worker", role="Manager")
        identity = TrustedProfile(made.id, api_key=cos_emulator.api_key)
        arguments: dict[str, object] = {"credentials": identity, "service_instance_id": cos_emulator.service_instance_id}
    elif given == "credentials":
        arguments = {"credentials": ApiKey(cos_emulator.api_key, cos_emulator.service_instance_id)}
    else:
        arguments = {"api_key": cos_emulator.api_key, "service_instance_id": cos_emulator.service_instance_id}
    cos = Client(**arguments)  # type: ignore[arg-type]
    monkeypatch.delenv("AIOCOS_ENDPOINT")
    monkeypatch.delenv("IBM_AUTH_ENDPOINT")
    for client in (cos, pickle.loads(pickle.dumps(cos))):
        async with client:
            await client.buckets.list()


def test_iam_endpoint_of_the_client_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    default = AuthSettings(iam_endpoint_default="https://env.test")
    said = AuthSettings(iam_endpoint="https://said.test", iam_endpoint_default="https://env.test")
    assert IamClient().url(default) == "https://env.test/identity/token"
    assert IamClient("https://own.test").url(default) == "https://own.test/identity/token"
    assert IamClient("https://own.test").url(said) == "https://said.test/identity/token"
    assert IamClient().url(AuthSettings()) == "https://iam.cloud.ibm.com/identity/token"
    assert IamClient().url(AuthSettings(iam_endpoint_default="")) == "https://iam.cloud.ibm.com/identity/token"
    # An invalid endpoint is an error only for credentials that use it.
    monkeypatch.setenv("IBM_AUTH_ENDPOINT", "http://iam.example")
    Client("https://cos.example", access_key_id="i", secret_access_key="s")
    with pytest.raises(ConfigError, match="plain http"):
        Client("https://cos.example", api_key="k")


def test_paths_of_files_from_variables(home: Home) -> None:
    fill_all_places(home)
    home.environ = {"COS_CREDENTIALS_FILE": str(home.service({**SERVICE, "apikey": "elsewhere"}, "cos.json"))}
    assert home.resolve() == ApiKey("elsewhere", CRN)
    home.environ = {"COS_CREDENTIALS_FILE": "~/cos.json"}
    assert home.resolve() == ApiKey("elsewhere", CRN)
    home.environ = {"COS_CREDENTIALS_FILE": str(home.path / "missing")}
    assert home.resolve() == Hmac("shared-id", "shared-secret"), "a file that is not there is passed over"
    home.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(home.path / "missing")
    home.environ["AWS_CONFIG_FILE"] = str(home.write("conf", "[default]\nibm_api_key_id=other\n"))
    assert home.resolve() == ApiKey("other")


def test_profile_argument_skips_the_other_places(home: Home) -> None:
    fill_all_places(home)
    home.write(".aws/credentials", "[default]\n[work]\nibm_api_key_id=work-key\n")
    home.write(".aws/config", '[profile work]\nibm_api_key_id=not-this\n[profile "at home"]\nibm_api_key_id=home-key\n')
    assert home.resolve("work") == ApiKey("work-key")
    assert home.resolve("at home") == ApiKey("home-key")
    with pytest.raises(CredentialsError, match=r"\[nobody\] of .*\[profile nobody\] of") as raised:
        home.resolve("nobody")
    assert "IBM_API_KEY_ID" not in str(raised.value)


def test_profile_variable_only_selects_the_section(home: Home) -> None:
    fill_all_places(home)
    home.write(".aws/credentials", "[one]\nibm_api_key_id=one\n[two]\nibm_api_key_id=two\n[default]\nibm_api_key_id=none\n")
    home.environ = {"AWS_PROFILE": "one"}
    assert home.resolve() == ApiKey("file-key", CRN)
    (home.path / ".bluemix/cos_credentials").unlink()
    assert home.resolve() == ApiKey("one")
    home.environ["AWS_DEFAULT_PROFILE"] = "two"
    assert home.resolve() == ApiKey("two")


async def test_chain_searches_once_at_first_use(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*IBM_ENV, *AWS_ENV, "COS_CREDENTIALS_FILE", "AWS_SECURITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home.path))
    monkeypatch.setenv("USERPROFILE", str(home.path))
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(home.path / "missing"))
    iam = FakeIam()
    chain = Chain()
    authorizer = chain.authorizer(AuthSettings(http=iam.http))
    assert not authorizer.rejected(outgoing(), 401)
    await authorizer.close()
    with pytest.raises(CredentialsError, match="no credentials"):
        await authorizer.authorize(outgoing())
    path = home.service({**SERVICE, "apikey": "s3cr3t"})
    request = outgoing()
    await authorizer.authorize(request)
    assert request.headers == {"Authorization": "Bearer token-1"}
    path.unlink()
    await authorizer.authorize(request)
    assert chain.service_instance_id == CRN
    assert authorizer.rejected(request, 401)
    with pytest.raises(CredentialsError, match="cannot sign URLs"):
        chain.presigner(AuthSettings())
    assert b"s3cr3t" not in pickle.dumps(chain)
    assert "s3cr3t" not in repr(chain)
    again = pickle.loads(pickle.dumps(chain))
    assert again == chain
    with pytest.raises(CredentialsError):
        again.found()
    await authorizer.close()


async def test_close_reaches_the_found_authorizer(home: Home, monkeypatch: pytest.MonkeyPatch, issuer: Issuer) -> None:
    closed: list[str] = []

    class Found(BearerToken):
        def authorizer(self, settings: AuthSettings) -> Authorizer:
            made = super().authorizer(settings)

            async def close() -> None:
                closed.append("it")

            made.close = close  # type: ignore[method-assign]
            return made

    monkeypatch.setattr("aiocos.auth.chain.resolve", lambda profile: Found("a-token"))
    authorizer = Chain().authorizer(AuthSettings())
    await authorizer.close()
    assert closed == [], "nothing has been looked for yet"
    await authorizer.authorize(outgoing())
    await authorizer.close()
    assert closed == ["it"]


async def test_lazy_authorizer_forwards_all_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lazy authorizer passes every call on to the authorizer of the found credentials."""
    settled: list[tuple[str, int]] = []

    class Found(BearerToken):
        def authorizer(self, settings: AuthSettings) -> Authorizer:
            made = super().authorizer(settings)
            made.secrets = lambda: ("a-secret",)  # type: ignore[method-assign]
            made.settled = lambda request, status: settled.append((request.method, status))  # type: ignore[method-assign]
            made.rejected = lambda *given: given[1:] == (403, 7.0, "Code")  # type: ignore[method-assign]
            return made

    monkeypatch.setattr("aiocos.auth.chain.resolve", lambda profile: Found("a-token"))
    authorizer = Chain().authorizer(AuthSettings())
    request = outgoing()
    assert authorizer.secrets() == ()
    assert authorizer.rejected(request, 403, 7.0, "Code") is False
    authorizer.settled(request, 200)
    assert settled == []
    await authorizer.authorize(request)
    assert request.headers == {"Authorization": "Bearer a-token"}
    assert authorizer.secrets() == ("a-secret",)
    assert authorizer.rejected(request, 403, 7.0, "Code") is True
    assert authorizer.rejected(request, 401, 7.0, "Code") is False
    authorizer.settled(request, 200)
    assert settled == [("GET", 200)]


async def test_chain_delegates_and_signs_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    iam = FakeIam(Response(200, {}, b'{"delegated_refresh_token": "t"}'))
    asked: list[str | None] = []

    def find(profile: str | None) -> Credentials:
        asked.append(profile)
        return DualCredentials(ApiKey("k", CRN), Hmac("i", "s"))

    monkeypatch.setattr("aiocos.auth.chain.resolve", find)
    chain = Chain("work")
    fetch = chain.delegation(AuthSettings(http=iam.http), "aspera")
    assert (await fetch()).value == "t"
    assert iam.form()["receiver_client_ids"] == ["aspera"]
    assert "X-Amz-Credential=i%2F" in chain.presigner(AuthSettings()).presign(outgoing(), expires=60)
    assert chain.service_instance_id == CRN
    assert asked == ["work"]
    assert chain.__getstate__() == {"profile": "work"}


def test_settings_of_merges_both_files(home: Home) -> None:
    home.write(".aws/credentials", "[default]\nkey = c\n[work]\na = 1\nb = 2\n")
    home.write(".aws/config", "[default]\nkey = d\n[profile work]\nb = 3\nc = 4\n[work]\nd = 5\n[profile one]\na = 9\n")
    for profile, expected in (
        (None, {"key": "c"}),
        ("default", {"key": "c"}),
        ("work", {"a": "1", "b": "2", "c": "4"}),
        ("one", {"a": "9"}),
        ("nobody", None),
    ):
        assert settings_of(profile, environ={}, home=home.path) == expected
    (home.path / ".aws/config").unlink()
    assert settings_of("work", environ={}, home=home.path) == {"a": "1", "b": "2"}
    (home.path / ".aws/credentials").unlink()
    assert settings_of("work", environ={}, home=home.path) is None


def test_settings_of_reads_profile_and_paths_from_variables(home: Home) -> None:
    home.write(".aws/credentials", "[default]\na = 0\n[one]\na = 1\n[two]\na = 2\n")
    environ = {"AWS_PROFILE": "one"}
    assert settings_of(environ=environ, home=home.path) == {"a": "1"}
    environ["AWS_DEFAULT_PROFILE"] = "two"
    assert settings_of(environ=environ, home=home.path) == {"a": "2"}
    assert settings_of("one", environ=environ, home=home.path) == {"a": "1"}
    home.write("other", "[one]\na = other\n")
    home.write("conf", "[profile one]\nb = conf\n")
    environ |= {"AWS_SHARED_CREDENTIALS_FILE": "~/other", "AWS_CONFIG_FILE": str(home.path / "conf")}
    assert settings_of("one", environ=environ, home=home.path) == {"a": "other", "b": "conf"}


def test_environment_and_home_directory_default_to_the_process(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home.path))
    monkeypatch.setenv("USERPROFILE", str(home.path))
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_DEFAULT_PROFILE", "COS_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "work")
    home.write(".aws/credentials", "[work]\nibm_api_key_id = here\n")
    assert settings_of() == {"ibm_api_key_id": "here"}
    assert settings_of(environ={}) is None
    assert resolve(profile="work") == ApiKey("here")
