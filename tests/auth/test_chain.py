"""Where credentials come from, place by place, and what stops the search."""

from __future__ import annotations

import json
import pickle
import traceback
from pathlib import Path

import aiohttp
import pytest
import yarl

from aiocos import Client
from aiocos.auth.base import Anonymous, Authorizer, AuthSettings, BearerToken, Credentials
from aiocos.auth.chain import Chain, from_arguments, resolve, settings_of
from aiocos.auth.iam import ApiKey, IamClient
from aiocos.auth.keys import DualCredentials, Hmac
from aiocos.auth.profile import TrustedProfile
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.message import Response

from .fakes import FakeIam, Issuer, outgoing

CRN = "crn:v1:bluemix:public:cloud-object-storage:global:a/1:2::"
IBM_ENV = {
    "IBM_API_KEY_ID": "env-key",
    "IBM_SERVICE_INSTANCE_ID": "env-crn",
    "IBM_AUTH_ENDPOINT": "https://iam.test/oidc/token",
}
AWS_ENV = {"AWS_ACCESS_KEY_ID": "env-id", "AWS_SECRET_ACCESS_KEY": "env-secret", "AWS_SESSION_TOKEN": "env-session"}
SERVICE = {
    "apikey": "file-key",
    "resource_instance_id": CRN,
    "endpoints": "https://control.cloud-object-storage.cloud.ibm.com/v2/endpoints",
    "iam_serviceid_crn": "crn:v1:other",
}
PAIR = {"access_key_id": "file-id", "secret_access_key": "file-secret"}


class Home:
    """A home directory and an environment of the test's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ: dict[str, str] = {}

    def write(self, name: str, content: object) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        return path

    def service(self, content: object, name: str = ".bluemix/cos_credentials") -> Path:
        return self.write(name, json.dumps(content))

    def resolve(self, profile: str | None = None) -> Credentials:
        return resolve(environ=self.environ, home=self.path, profile=profile)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def full(home: Home) -> None:
    """Fill every place of the chain."""
    home.environ = {**IBM_ENV, **AWS_ENV}
    home.service(SERVICE)
    home.write(".aws/credentials", "[default]\naws_access_key_id = shared-id\naws_secret_access_key = shared-secret\n")
    home.write(".aws/config", "[default]\nibm_api_key_id = config-key\nibm_service_instance_id = config-crn\n")


def test_each_place_is_asked_in_its_turn(home: Home) -> None:
    full(home)
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


def test_variables_that_are_empty_are_not_there(home: Home) -> None:
    home.environ = dict.fromkeys([*IBM_ENV, *AWS_ENV, "COS_CREDENTIALS_FILE", "AWS_PROFILE"], "")
    home.service(SERVICE)
    assert home.resolve() == ApiKey("file-key", CRN)


@pytest.mark.parametrize("half", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_pair_in_the_environment_stops_the_search(home: Home, half: str) -> None:
    full(home)
    home.environ = {half: "s3cr3t"}
    with pytest.raises(ConfigError, match=r"environment.*: no ") as raised:
        home.resolve()
    assert "s3cr3t" not in str(raised.value)
    home.environ |= IBM_ENV
    assert isinstance(home.resolve(), ApiKey), "the API key comes first"


def test_what_looks_like_a_pair_beside_an_api_key(home: Home) -> None:
    home.environ = {"IBM_API_KEY_ID": "env-key", "AWS_ACCESS_KEY_ID": "other-key", "AWS_SECRET_ACCESS_KEY": CRN}
    assert home.resolve() == ApiKey("env-key"), "an API key in the clothes of a pair signs nothing"
    for half in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        home.environ = {"IBM_API_KEY_ID": "env-key", half: "left-behind"}
        assert home.resolve() == ApiKey("env-key"), "no call would be made with it"


async def test_a_client_of_the_environment_calls_by_token_and_signs_urls(
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
async def test_one_rule_for_both_endpoints_of_the_environment(
    cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """A key that is given in the code goes to the IAM that the environment names, as the calls go to its endpoint."""
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


def test_what_is_said_is_preferred_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    default = AuthSettings(iam_endpoint_default="https://env.test")
    said = AuthSettings(iam_endpoint="https://said.test", iam_endpoint_default="https://env.test")
    assert IamClient().url(default) == "https://env.test/identity/token"
    assert IamClient("https://own.test").url(default) == "https://own.test/identity/token"
    assert IamClient("https://own.test").url(said) == "https://said.test/identity/token"
    assert IamClient().url(AuthSettings()) == "https://iam.cloud.ibm.com/identity/token"
    assert IamClient().url(AuthSettings(iam_endpoint_default="")) == "https://iam.cloud.ibm.com/identity/token"
    # One that is wrong is the affair of those who use it.
    monkeypatch.setenv("IBM_AUTH_ENDPOINT", "http://iam.example")
    Client("https://cos.example", access_key_id="i", secret_access_key="s")
    with pytest.raises(ConfigError, match="plain http"):
        Client("https://cos.example", api_key="k")


def test_files_are_found_where_variables_say(home: Home) -> None:
    full(home)
    home.environ = {"COS_CREDENTIALS_FILE": str(home.service({**SERVICE, "apikey": "elsewhere"}, "cos.json"))}
    assert home.resolve() == ApiKey("elsewhere", CRN)
    home.environ = {"COS_CREDENTIALS_FILE": "~/cos.json"}
    assert home.resolve() == ApiKey("elsewhere", CRN)
    home.environ = {"COS_CREDENTIALS_FILE": str(home.path / "missing")}
    assert home.resolve() == Hmac("shared-id", "shared-secret"), "a file that is not there is passed over"
    home.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(home.path / "missing")
    home.environ["AWS_CONFIG_FILE"] = str(home.write("conf", "[default]\nibm_api_key_id=other\n"))
    assert home.resolve() == ApiKey("other")


# The service credential


def test_hmac_keys_of_a_service_credential_win(home: Home) -> None:
    home.service({**SERVICE, "cos_hmac_keys": PAIR})
    assert home.resolve() == Hmac("file-id", "file-secret")
    home.service({**SERVICE, "cos_hmac_keys": {}, "iam_auth_endpoint": "https://iam.test/oidc/token"})
    assert home.resolve() == ApiKey("file-key", CRN, "https://iam.test/oidc/token")


@pytest.mark.parametrize("half", list(PAIR))
def test_half_a_pair_in_a_service_credential_stops_the_search(home: Home, half: str) -> None:
    home.service({**SERVICE, "cos_hmac_keys": {half: PAIR[half]}})
    with pytest.raises(ConfigError, match=r"cos_hmac_keys of .*: no "):
        home.resolve()


def test_a_service_credential_without_keys_is_passed_over(home: Home) -> None:
    full(home)
    home.environ.clear()
    home.service({"endpoints": "x"})
    assert home.resolve() == Hmac("shared-id", "shared-secret")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"apikey": "s3cr3t"',
        b'["s3cr3t"]',
        b'"s3cr3t"',
        b"\xff\xfes3cr3t",
        b'{"apikey": ["s3cr3t"]}',
        b'{"cos_hmac_keys": "s3cr3t"}',
        b'{"cos_hmac_keys": {"access_key_id": 1, "secret_access_key": "s3cr3t"}}',
    ],
)
def test_a_service_credential_that_makes_no_sense_is_named_and_not_shown(home: Home, content: bytes) -> None:
    path = home.write(".bluemix/cos_credentials", content)
    with pytest.raises(ConfigError) as raised:
        home.resolve()
    assert str(path) in str(raised.value)
    silent(raised.value)


def silent(error: BaseException) -> None:
    """The secret is in no message, and in no error that this one carries along."""
    assert "s3cr3t" not in "".join(traceback.format_exception(error))
    carried: BaseException | None = error
    while carried is not None:
        assert "s3cr3t" not in f"{carried!r} {vars(carried)}"
        carried = carried.__cause__ or carried.__context__


def test_a_file_that_cannot_be_read_is_named(home: Home) -> None:
    (home.path / ".bluemix/cos_credentials").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cos_credentials cannot be read"):
        home.resolve()


# ~/.aws


def test_a_profile_named_in_the_call_leaves_the_other_places_out(home: Home) -> None:
    full(home)
    home.write(".aws/credentials", "[default]\n[work]\nibm_api_key_id=work-key\n")
    home.write(".aws/config", '[profile work]\nibm_api_key_id=not-this\n[profile "at home"]\nibm_api_key_id=home-key\n')
    assert home.resolve("work") == ApiKey("work-key")
    assert home.resolve("at home") == ApiKey("home-key")
    with pytest.raises(CredentialsError, match=r"\[nobody\] of .*\[profile nobody\] of") as raised:
        home.resolve("nobody")
    assert "IBM_API_KEY_ID" not in str(raised.value)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("profile work", True),
        ('profile "work"', True),
        ("profile 'work'", True),
        ("profile   work", True),
        ("sso-session work", False),
        ("services work", False),
        ("profile", False),
        ("work", False),
        ("profilework", False),
        ("Profile work", False),
        ("my profile work", False),
    ],
)
def test_titles_of_the_config_file(home: Home, title: str, found: bool) -> None:
    home.write(".aws/config", f"[{title}]\nibm_api_key_id=key\n")
    if found:
        assert home.resolve("work") == ApiKey("key")
    else:
        with pytest.raises(CredentialsError, match="no credentials"):
            home.resolve("work")


async def test_the_identity_that_was_found_is_closed_with_the_client(
    home: Home, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
) -> None:
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


def test_a_profile_of_the_environment_chooses_the_section_only(home: Home) -> None:
    full(home)
    home.write(".aws/credentials", "[one]\nibm_api_key_id=one\n[two]\nibm_api_key_id=two\n[default]\nibm_api_key_id=none\n")
    home.environ = {"AWS_PROFILE": "one"}
    assert home.resolve() == ApiKey("file-key", CRN)
    (home.path / ".bluemix/cos_credentials").unlink()
    assert home.resolve() == ApiKey("one")
    home.environ["AWS_DEFAULT_PROFILE"] = "two"
    assert home.resolve() == ApiKey("two")


@pytest.mark.parametrize("file", [".aws/credentials", ".aws/config"])
def test_sections_hold_api_keys_or_pairs(home: Home, file: str) -> None:
    pair = "aws_access_key_id = id\naws_secret_access_key = a%b;c#d\naws_session_token=t\n"
    for content, expected in (
        (pair, Hmac("id", "a%b;c#d", "t")),
        (f"{pair}ibm_api_key_id = key\nibm_auth_endpoint = iam.test\n", ApiKey("key", None, "iam.test")),
        (f"aws_access_key_id = key\naws_secret_access_key = {CRN}\n", ApiKey("key", CRN)),
        ("s3 =\n  addressing_style = path\nIBM_API_KEY_ID = key\n", ApiKey("key")),
    ):
        home.write(file, f"\ufeff# a comment\n[default]\n{content}")
        assert home.resolve() == expected
    for half in ("aws_access_key_id=s3cr3t", "aws_secret_access_key=s3cr3t"):
        home.write(file, f"[default]\n{half}\n")
        with pytest.raises(ConfigError, match="incomplete HMAC keys") as raised:
            home.resolve()
        silent(raised.value)


@pytest.mark.parametrize(
    "content", ["aws_secret_access_key=s3cr3t\n", "[default]\ns3cr3t\n", "[default]\na=s3cr3t\n[default]\n"]
)
def test_a_file_that_is_no_ini_file_is_named_and_not_shown(home: Home, content: str) -> None:
    path = home.write(".aws/credentials", content)
    with pytest.raises(ConfigError) as raised:
        home.resolve()
    assert str(path) in str(raised.value)
    silent(raised.value)


def test_no_section_gives_its_values_to_the_others(home: Home) -> None:
    home.write(".aws/credentials", "[DEFAULT]\nibm_api_key_id=upper\n[work]\nregion=x\n")
    with pytest.raises(CredentialsError, match="no credentials"):
        home.resolve("work")


# Arguments


def test_arguments_name_an_identity() -> None:
    assert from_arguments(api_key="k", service_instance_id=CRN, iam_endpoint="iam.test") == ApiKey("k", CRN, "iam.test")
    assert from_arguments(access_key_id="i", secret_access_key="s", session_token="t") == Hmac("i", "s", "t")
    assert from_arguments(access_key_id="i", secret_access_key="s", service_instance_id=CRN).service_instance_id == CRN
    both = from_arguments(api_key="k", service_instance_id=CRN, access_key_id="i", secret_access_key="s")
    assert both == DualCredentials(ApiKey("k", CRN), Hmac("i", "s", None, CRN))
    assert from_arguments(credentials=Anonymous()) == Anonymous()
    assert from_arguments() == Chain()
    assert from_arguments(profile="work", service_instance_id=CRN) == Chain("work")


@pytest.mark.parametrize(
    "arguments",
    [
        {"access_key_id": "i"},
        {"secret_access_key": "s"},
        {"session_token": "t"},
        {"api_key": "k", "access_key_id": "i"},
        {"access_key_id": "", "secret_access_key": ""},
        {"api_key": ""},
        {"credentials": Anonymous(), "api_key": "k"},
        {"credentials": Anonymous(), "access_key_id": "i", "secret_access_key": "s"},
        {"credentials": Anonymous(), "profile": "work"},
        {"profile": "work", "api_key": "k"},
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_arguments_that_name_half_an_identity_or_two_are_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        from_arguments(**arguments)  # type: ignore[arg-type]


async def test_the_chain_is_searched_at_first_use_and_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_what_is_found_later_is_told_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The authorizer stands in for the one of the credentials that are found: nothing may end in it."""
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


async def test_what_is_found_delegates_and_signs_urls(monkeypatch: pytest.MonkeyPatch) -> None:
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


# The settings of a profile


def test_settings_are_those_of_both_files_and_the_credentials_win(home: Home) -> None:
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


def test_the_environment_says_which_profile_and_where_the_files_are(home: Home) -> None:
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


def test_the_process_and_the_user_are_asked_unless_said_otherwise(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home.path))
    monkeypatch.setenv("USERPROFILE", str(home.path))
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_DEFAULT_PROFILE", "COS_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "work")
    home.write(".aws/credentials", "[work]\nibm_api_key_id = here\n")
    assert settings_of() == {"ibm_api_key_id": "here"}
    assert settings_of(environ={}) is None
    assert resolve(profile="work") == ApiKey("here")


# What files may look like


def test_a_directory_that_is_a_file_holds_nothing(home: Home) -> None:
    home.write(".bluemix", "a file")
    home.write(".aws", "a file")
    with pytest.raises(CredentialsError, match="no credentials"):
        home.resolve()
    assert settings_of(environ={}, home=home.path) is None


@pytest.mark.parametrize(
    ("content", "line"),
    [("a = 1\n", "(line 1)"), ("# x\n\na = 1\n", "(line 3)"), ("[default]\nword\n", ""), ("[a]\n[a]\n", "(line 2)")],
)
def test_the_line_of_a_file_that_is_no_ini_file_is_told_where_it_is_known(home: Home, content: str, line: str) -> None:
    path = home.write(".aws/config", content)
    with pytest.raises(ConfigError) as raised:
        settings_of(environ={}, home=home.path)
    assert str(raised.value) == f"{path} is not an INI file" + (f" {line}" if line else "")


def test_lines_of_a_file_of_the_sdk(home: Home) -> None:
    name = "RESOURCE_CONFIGURATION_"
    text = f"# {name}APIKEY=comment\n  # {name}APIKEY=comment\nwithout\n {name}APIKEY = a=b \n{name}SCOPE=\n"
    home.environ = {"IBM_CREDENTIALS_FILE": str(home.write("ibm.env", text)), f"{name}APIKEY": "environment"}
    assert home.resolve() == ApiKey("a=b"), "the file wins"
    home.environ["IBM_CREDENTIALS_FILE"] = str(home.path / "missing")
    assert home.resolve() == ApiKey("environment")


def test_an_older_name_of_the_session_token(home: Home) -> None:
    pair = "[default]\naws_access_key_id=i\naws_secret_access_key=s\naws_security_token=old\n"
    home.write(".aws/credentials", pair)
    assert home.resolve() == Hmac("i", "s", "old")
    home.write(".aws/credentials", f"{pair}aws_session_token=new\n")
    assert home.resolve() == Hmac("i", "s", "new")
    home.environ = {"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SECURITY_TOKEN": "old"}
    assert home.resolve() == Hmac("i", "s", "old")
    home.environ["AWS_SESSION_TOKEN"] = "new"
    assert home.resolve() == Hmac("i", "s", "new")


def test_a_session_token_alone_names_nobody(home: Home) -> None:
    home.environ = {"AWS_SESSION_TOKEN": "left-behind"}
    home.write(".aws/credentials", "[default]\naws_session_token=left-behind\n")
    home.write(".aws/config", "[default]\nibm_api_key_id=k\n")
    assert home.resolve() == ApiKey("k")


def test_an_instance_as_the_secret_is_read_with_white_space_around_it(home: Home) -> None:
    home.environ = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": f" {CRN}\n"}
    assert home.resolve() == ApiKey("k", CRN)
    home.environ |= {"IBM_API_KEY_ID": "env-key"}
    assert home.resolve() == ApiKey("env-key")


def test_text_of_a_service_credential_that_is_empty_or_null_is_not_there(home: Home) -> None:
    home.service({"apikey": "k", "resource_instance_id": None, "iam_auth_endpoint": "", "cos_hmac_keys": None})
    assert home.resolve() == ApiKey("k")
    home.service({"apikey": "", "cos_hmac_keys": {"access_key_id": None, "secret_access_key": ""}})
    with pytest.raises(CredentialsError):
        home.resolve()
    home.service({"apikey": "k", "resource_instance_id": 7})
    with pytest.raises(ConfigError, match=r"resource_instance_id in .* is not text"):
        home.resolve()


@pytest.mark.parametrize("file", [".bluemix/cos_credentials", ".aws/credentials", ".aws/config"])
def test_each_file_that_everybody_can_read_is_told(home: Home, file: str) -> None:
    content = '{"apikey": "k"}' if "cos" in file else "[default]\nibm_api_key_id=k\n"
    path = home.write(file, content)
    path.chmod(0o640)
    assert home.resolve() == ApiKey("k"), "a group may be meant"
    path.chmod(0o604)
    with pytest.warns(UserWarning, match=f"{path.name} holds credentials and can be read by everybody"):
        assert home.resolve() == ApiKey("k")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"access_key_id": "i"}, "the arguments: no secret_access_key"),
        ({"secret_access_key": "s"}, "the arguments: no access_key_id"),
        ({"session_token": "t"}, "the arguments: no access_key_id and secret_access_key"),
        ({"access_key_id": ""}, "access_key_id and secret_access_key are empty"),
        ({"secret_access_key": ""}, "access_key_id and secret_access_key are empty"),
        ({"session_token": ""}, "access_key_id and secret_access_key are empty"),
        ({"credentials": Anonymous(), "profile": ""}, "either credentials=… or keys or a profile"),
        ({"profile": "work", "access_key_id": "i", "secret_access_key": "s"}, "either keys or a profile"),
        ({"profile": "", "api_key": "k"}, "either keys or a profile"),
    ],
)
def test_arguments_that_do_not_go_together_are_told(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_arguments(**arguments)  # type: ignore[arg-type]
