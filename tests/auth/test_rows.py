"""How IBM's SDK finds credentials, row by row of what it does, and what is done here: the same, or on purpose not."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import aiocos
from aiocos import Anonymous, ApiKey, BearerToken, ConfigError, CredentialsError, DualCredentials, Hmac, TrustedProfile
from aiocos.auth.base import AuthSettings
from aiocos.auth.chain import Chain, from_arguments, resolve

from .fakes import FakeIam, outgoing

CRN = "crn:v1:bluemix:public:cloud-object-storage:global:a/1:2::"


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ: dict[str, str] = {}

    def write(self, name: str, content: object) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def found(self, profile: str | None = None, **environ: str) -> aiocos.Credentials:
        return resolve(environ={**self.environ, **environ}, home=self.path, profile=profile)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


Row = Callable[[Home], None]


def row(table: dict[int, Row], number: int) -> Callable[[Row], Row]:
    def enter(run: Row) -> Row:
        assert number not in table
        table[number] = run
        return run

    return enter


ARGUMENTS: dict[int, Row] = {}
CHAIN: dict[int, Row] = {}
MODIFIERS: dict[int, Row] = {}
SERVICE: dict[int, Row] = {}
SECTIONS: dict[int, Row] = {}

# ---------------------------------------------------------------------------------------------------------------------
# Arguments


@row(ARGUMENTS, 1)
def _api_key(home: Home) -> None:
    made = from_arguments(api_key="k", service_instance_id=CRN, iam_endpoint="https://iam.test/x")
    assert made == ApiKey("k", CRN, "https://iam.test/x")


@row(ARGUMENTS, 2)
def _a_function(home: Home) -> None:
    """The SDK's auth_function is an async function that gives the token."""

    async def token() -> str:
        return "t"

    assert from_arguments(credentials=BearerToken(token, CRN)).service_instance_id == CRN


@row(ARGUMENTS, 3)
def _a_manager(home: Home) -> None:
    """A token manager is such a function too; nothing has to have a `set_from_config`."""

    class Manager:
        async def get_token(self) -> str:
            return "t"

    from_arguments(credentials=BearerToken(Manager().get_token))


@row(ARGUMENTS, 4)
def _a_pair(home: Home) -> None:
    assert from_arguments(access_key_id="i", secret_access_key="s", session_token="t") == Hmac("i", "s", "t")
    for half in ({"access_key_id": "i"}, {"secret_access_key": "s"}):
        with pytest.raises(ConfigError, match="incomplete HMAC keys"):
            from_arguments(**half)


@row(ARGUMENTS, 5)
def _nothing(home: Home) -> None:
    assert from_arguments() == Chain()


@row(ARGUMENTS, 6)
def _both(home: Home) -> None:
    """The SDK lets IAM win and forgets the pair; here the pair signs URLs."""
    made = from_arguments(api_key="k", access_key_id="i", secret_access_key="s")
    assert made == DualCredentials(ApiKey("k"), Hmac("i", "s"))


@pytest.mark.parametrize("number", ARGUMENTS)
def test_arguments(number: int, home: Home) -> None:
    ARGUMENTS[number](home)


async def test_the_scheme_follows_from_the_credentials() -> None:
    """The SDK needs `signature_version="oauth"` for API keys, and with it sends `Bearer None` for HMAC keys."""
    request = outgoing()
    await Hmac("i", "s").authorizer(AuthSettings()).authorize(request)
    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
    request = outgoing()
    await ApiKey("k").authorizer(AuthSettings(http=FakeIam().http)).authorize(request)
    assert request.headers["Authorization"].startswith("Bearer ")


# ---------------------------------------------------------------------------------------------------------------------
# The chain

IBM = {"IBM_API_KEY_ID": "k", "IBM_SERVICE_INSTANCE_ID": CRN, "IBM_AUTH_ENDPOINT": "https://iam.test/x"}
AWS = {"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s"}


@row(CHAIN, 1)
def _environment_ibm(home: Home) -> None:
    assert home.found(**IBM) == ApiKey("k", CRN, "https://iam.test/x")
    # IBM's SDK takes the first of them; here both are identities, as they are in arguments.
    assert home.found(**IBM, **AWS) == DualCredentials(ApiKey("k", CRN, "https://iam.test/x"), Hmac("i", "s"))
    assert home.found(IBM_API_KEY_ID="k") == ApiKey("k")


@row(CHAIN, 2)
def _environment_aws(home: Home) -> None:
    home.write(".bluemix/cos_credentials", {"apikey": "file"})
    assert home.found(**AWS) == Hmac("i", "s")
    assert home.found(**AWS, AWS_SECURITY_TOKEN="t") == Hmac("i", "s", "t")
    # Keys of COS do not expire.
    assert home.found(**AWS, AWS_CREDENTIAL_EXPIRATION="2001-01-01T00:00:00Z") == Hmac("i", "s")
    with pytest.raises(ConfigError, match="incomplete HMAC keys"):
        home.found(AWS_ACCESS_KEY_ID="i")


@row(CHAIN, 3)
def _service_credential(home: Home) -> None:
    home.write(".bluemix/cos_credentials", {"apikey": "k", "resource_instance_id": CRN})
    home.write(".aws/credentials", "[default]\naws_access_key_id=i\naws_secret_access_key=s\n")
    assert home.found() == ApiKey("k", CRN)
    other = home.write("elsewhere.json", {"apikey": "other"})
    assert home.found(COS_CREDENTIALS_FILE=str(other)) == ApiKey("other")


@row(CHAIN, 4)
def _aws_roles(home: Home) -> None:
    """Left out: identities of AWS are none of COS."""
    home.write(".aws/config", "[default]\nrole_arn=arn:aws:iam::1:role/x\nsource_profile=default\n")
    with pytest.raises(CredentialsError):
        home.found(AWS_ROLE_ARN="arn:aws:iam::1:role/x", AWS_WEB_IDENTITY_TOKEN_FILE="/x")


@row(CHAIN, 5)
def _shared_file(home: Home) -> None:
    home.write(".aws/credentials", "[default]\naws_access_key_id=i\naws_secret_access_key=s\n")
    home.write(".aws/config", "[default]\naws_access_key_id=other\naws_secret_access_key=s\n")
    assert home.found() == Hmac("i", "s")
    other = home.write("shared", "[default]\naws_access_key_id=i2\naws_secret_access_key=s2\n")
    assert home.found(AWS_SHARED_CREDENTIALS_FILE=str(other)) == Hmac("i2", "s2")


@row(CHAIN, 6)
def _process(home: Home) -> None:
    """Left out: no program is run to find credentials."""
    home.write(".aws/config", f"[default]\ncredential_process=touch {home.path / 'ran'}\n")
    with pytest.raises(CredentialsError):
        home.found()
    assert not (home.path / "ran").exists()


@row(CHAIN, 7)
def _config_file(home: Home) -> None:
    home.write(".aws/config", "[default]\naws_access_key_id=i\naws_secret_access_key=s\n")
    assert home.found() == Hmac("i", "s")
    other = home.write("config", "[default]\nibm_api_key_id=k\n")
    assert home.found(AWS_CONFIG_FILE=str(other)) == ApiKey("k")


@row(CHAIN, 8)
def _machines_of_amazon(home: Home) -> None:
    """Left out: files of boto2, containers and the metadata service of EC2."""
    home.write(".boto", "[Credentials]\naws_access_key_id=i\naws_secret_access_key=s\n")
    with pytest.raises(CredentialsError, match="no credentials"):
        home.found(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9/")


@pytest.mark.parametrize("number", CHAIN)
def test_chain(number: int, home: Home) -> None:
    CHAIN[number](home)


@row(MODIFIERS, 1)
def _profile_name(home: Home) -> None:
    home.write(".bluemix/cos_credentials", {"apikey": "file"})
    home.write(".aws/credentials", "[work]\nibm_api_key_id=work\n")
    assert home.found("work", **IBM, **AWS) == ApiKey("work")


@row(MODIFIERS, 2)
def _profile_of_the_environment(home: Home) -> None:
    home.write(".aws/credentials", "[work]\nibm_api_key_id=work\n")
    assert home.found(AWS_PROFILE="work") == ApiKey("work")
    assert home.found(AWS_DEFAULT_PROFILE="work", AWS_PROFILE="other") == ApiKey("work")
    home.write(".bluemix/cos_credentials", {"apikey": "file"})
    assert home.found(AWS_PROFILE="work") == ApiKey("file")


@row(MODIFIERS, 3)
def _nothing_found(home: Home) -> None:
    with pytest.raises(CredentialsError, match=r"no credentials: none were given.*cos_credentials.*Anonymous"):
        home.found()


@pytest.mark.parametrize("number", MODIFIERS)
def test_modifiers(number: int, home: Home) -> None:
    MODIFIERS[number](home)


# ---------------------------------------------------------------------------------------------------------------------
# ~/.bluemix/cos_credentials

PAIR = {"access_key_id": "i", "secret_access_key": "s"}


def service(home: Home, **values: object) -> aiocos.Credentials:
    home.write(".bluemix/cos_credentials", values)
    return home.found()


@row(SERVICE, 1)
def _keys_of_a_service_credential(home: Home) -> None:
    assert service(home, apikey="k", resource_instance_id=CRN) == ApiKey("k", CRN)


@row(SERVICE, 2)
def _its_hmac_keys(home: Home) -> None:
    assert service(home, apikey="k", resource_instance_id=CRN, cos_hmac_keys=PAIR) == Hmac("i", "s")


@row(SERVICE, 3)
def _its_token_url(home: Home) -> None:
    made = service(home, apikey="k", iam_auth_endpoint="https://iam.test/oidc/token")
    assert made == ApiKey("k", None, "https://iam.test/oidc/token")


@row(SERVICE, 4)
def _what_is_not_used(home: Home) -> None:
    made = service(home, apikey="k", iam_serviceid_crn="crn:x", endpoints="https://list", iam_apikey_name="n", iam_role_crn="r")
    assert made == ApiKey("k")


@row(SERVICE, 5)
def _no_known_key(home: Home) -> None:
    for content in ({}, {"other": "x"}):
        home.write(".bluemix/cos_credentials", content)
        with pytest.raises(CredentialsError, match="no credentials"):
            home.found()


@row(SERVICE, 6)
def _one_half(home: Home) -> None:
    for half in PAIR:
        with pytest.raises(ConfigError, match="incomplete HMAC keys"):
            service(home, cos_hmac_keys={half: "x"})


@row(SERVICE, 7)
def _not_json(home: Home) -> None:
    """The SDK lets the decoder's error out, which quotes the file."""
    home.write(".bluemix/cos_credentials", "apikey=hush")
    with pytest.raises(ConfigError, match="holds no JSON object") as caught:
        home.found()
    assert "hush" not in str(caught.value)


@row(SERVICE, 8)
def _no_object(home: Home) -> None:
    home.write(".bluemix/cos_credentials", ["hush"])
    with pytest.raises(ConfigError, match="holds no JSON object"):
        home.found()


@pytest.mark.parametrize("number", SERVICE)
def test_service_credential(number: int, home: Home) -> None:
    SERVICE[number](home)


# ---------------------------------------------------------------------------------------------------------------------
# ~/.aws


@row(SECTIONS, 1)
def _section_of_ibm(home: Home) -> None:
    text = f"[default]\nibm_api_key_id=k\nibm_service_instance_id={CRN}\naws_access_key_id=i\naws_secret_access_key=s\n"
    home.write(".aws/credentials", text)
    assert home.found() == ApiKey("k", CRN)


@row(SECTIONS, 2)
def _section_of_aws(home: Home) -> None:
    home.write(".aws/credentials", "[default]\naws_access_key_id=i\naws_secret_access_key=s\naws_session_token=t\n")
    assert home.found() == Hmac("i", "s", "t")


@row(SECTIONS, 3)
def _titles(home: Home) -> None:
    home.write(".aws/config", "[profile work]\nibm_api_key_id=k\n")
    assert home.found("work") == ApiKey("k")


@row(SECTIONS, 4)
def _the_promise(home: Home) -> None:
    """The documentation promises it and the SDK does not keep it: an API key and an instance in the places of a pair."""
    home.write(".aws/credentials", f"[default]\naws_access_key_id=k\naws_secret_access_key={CRN}\n")
    assert home.found() == ApiKey("k", CRN)


@pytest.mark.parametrize("number", SECTIONS)
def test_sections(number: int, home: Home) -> None:
    SECTIONS[number](home)


# ---------------------------------------------------------------------------------------------------------------------
# What IBM's other SDKs read


def test_trusted_profiles_of_the_environment(home: Home) -> None:
    base = {"TRUSTED_PROFILE_ID": "Profile-1", "IBM_SERVICE_INSTANCE_ID": CRN, "IBM_AUTH_ENDPOINT": "https://iam.test"}
    rest = {"service_instance_id": CRN, "iam_endpoint": "https://iam.test"}
    assert home.found(**base, CR_TOKEN_FILE_PATH="/t") == TrustedProfile("Profile-1", token_file="/t", **rest)
    assert home.found(**base, **AWS) == TrustedProfile("Profile-1", **rest)
    assert home.found(**base, IBM_SERVICE_ID_API_KEY="k") == TrustedProfile("Profile-1", api_key="k", **rest)
    by_name = {"TRUSTED_PROFILE_NAME": "n", "IBM_SERVICE_ID_API_KEY": "k", "IAM_ACCOUNT_ID": "a"}
    assert home.found(**by_name) == TrustedProfile(profile_name="n", account_id="a", api_key="k")
    with pytest.raises(ConfigError, match="two identities"):
        home.found(**base, IBM_API_KEY_ID="k")


_R = "RESOURCE_CONFIGURATION_"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"APIKEY": "k", "AUTH_URL": "https://iam.test"}, ApiKey("k", CRN, "https://iam.test")),
        (
            {"AUTH_TYPE": "IAM", "APIKEY": "k", "CLIENT_ID": "c", "CLIENT_SECRET": "s", "SCOPE": "x"},
            ApiKey("k", CRN, client_id="c", client_secret="s", scope="x"),
        ),
        ({"IAM_PROFILE_NAME": "n"}, TrustedProfile(profile_name="n", service_instance_id=CRN)),
        (
            {"AUTH_TYPE": "container", "IAM_PROFILE_ID": "p", "CR_TOKEN_FILENAME": "/t"},
            TrustedProfile("p", token_file="/t", service_instance_id=CRN),
        ),
        ({"AUTH_TYPE": "vpc"}, TrustedProfile(vpc=True, service_instance_id=CRN)),
        (
            {"AUTH_TYPE": "vpc", "IAM_PROFILE_CRN": "c", "VPC_IMS_VERSION": "2025-08-26", "AUTH_URL": "http://[fe80::1]"},
            TrustedProfile(profile_crn="c", vpc="2025-08-26", metadata_endpoint="http://[fe80::1]", service_instance_id=CRN),
        ),
        (
            {"AUTH_TYPE": "iamAssume", "APIKEY": "k", "IAM_PROFILE_NAME": "n", "IAM_ACCOUNT_ID": "a"},
            TrustedProfile(profile_name="n", account_id="a", api_key="k", service_instance_id=CRN),
        ),
        ({"AUTH_TYPE": "bearerToken", "BEARER_TOKEN": "t"}, BearerToken("t", CRN)),
        ({"AUTH_TYPE": "noAuth"}, Anonymous()),
    ],
)
def test_the_names_of_the_sdk_core(home: Home, values: dict[str, str], expected: aiocos.Credentials) -> None:
    named = {f"{_R}{name}": value for name, value in values.items()}
    assert home.found(**named, IBM_SERVICE_INSTANCE_ID=CRN) == expected
    file = home.write("ibm.env", "# settings\n" + "".join(f"{name}={value}\n" for name, value in named.items()))
    assert home.found(IBM_CREDENTIALS_FILE=str(file), IBM_SERVICE_INSTANCE_ID=CRN) == expected


def test_names_of_the_sdk_core_that_cannot_be(home: Home) -> None:
    with pytest.raises(ConfigError, match="can't be used with COS"):
        home.found(**{f"{_R}AUTH_TYPE": "cp4d"})
    with pytest.raises(ConfigError, match="APIKEY too"):
        home.found(**{f"{_R}AUTH_TYPE": "iam"})
    home.write(".aws/credentials", "[default]\nibm_api_key_id=k\n")
    assert home.found(**{f"{_R}URL": "https://config.test"}) == ApiKey("k")  # says nothing of who asks


# ---------------------------------------------------------------------------------------------------------------------
# Files that everybody can read


def test_a_file_with_credentials_that_all_can_read_is_warned_of_once(home: Home) -> None:
    path = home.write(".aws/credentials", "[default]\nibm_api_key_id=hush\n")
    path.chmod(0o644)
    with pytest.warns(UserWarning, match="can be read by everybody.*chmod 600") as said:
        assert home.found() == home.found()
    assert len(said) == 1
    assert "hush" not in str(said[0].message)
    # A file that holds no credentials may be read by all.
    home.write(".aws/config", "[default]\nregion=us\n").chmod(0o644)
    path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CredentialsError):
            home.found()
