"""The search for credentials compared with IBM's SDK, one test for each place and rule of the SDK."""

from __future__ import annotations

import pytest

import aiocos
from aiocos import ApiKey, ConfigError, CredentialsError, DualCredentials, Hmac

from .homes import CRN, Home

IBM = {"IBM_API_KEY_ID": "k", "IBM_SERVICE_INSTANCE_ID": CRN, "IBM_AUTH_ENDPOINT": "https://iam.test/x"}

AWS = {"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s"}

PAIR = {"access_key_id": "i", "secret_access_key": "s"}


def resolve_service_credential(home: Home, **values: object) -> aiocos.Credentials:
    home.write(".bluemix/cos_credentials", values)
    return home.resolve()


def test_api_key_in_the_environment(home: Home) -> None:
    assert home.resolve(**IBM) == ApiKey("k", CRN, "https://iam.test/x")
    # IBM's SDK takes the API key only; here both are used, as with arguments.
    assert home.resolve(**IBM, **AWS) == DualCredentials(ApiKey("k", CRN, "https://iam.test/x"), Hmac("i", "s"))
    assert home.resolve(IBM_API_KEY_ID="k") == ApiKey("k")


def test_hmac_keys_in_the_environment(home: Home) -> None:
    home.write(".bluemix/cos_credentials", {"apikey": "file"})
    assert home.resolve(**AWS) == Hmac("i", "s")
    assert home.resolve(**AWS, AWS_SECURITY_TOKEN="t") == Hmac("i", "s", "t")
    # Keys of COS do not expire.
    assert home.resolve(**AWS, AWS_CREDENTIAL_EXPIRATION="2001-01-01T00:00:00Z") == Hmac("i", "s")
    with pytest.raises(ConfigError, match="incomplete HMAC keys"):
        home.resolve(AWS_ACCESS_KEY_ID="i")


def test_service_credential_file(home: Home) -> None:
    home.write(".bluemix/cos_credentials", {"apikey": "k", "resource_instance_id": CRN})
    home.write(".aws/credentials", "[default]\naws_access_key_id=i\naws_secret_access_key=s\n")
    assert home.resolve() == ApiKey("k", CRN)
    other = home.write("elsewhere.json", {"apikey": "other"})
    assert home.resolve(COS_CREDENTIALS_FILE=str(other)) == ApiKey("other")


def test_aws_roles_are_left_out(home: Home) -> None:
    """Identities of AWS can't be used with COS."""
    home.write(".aws/config", "[default]\nrole_arn=arn:aws:iam::1:role/x\nsource_profile=default\n")
    with pytest.raises(CredentialsError):
        home.resolve(AWS_ROLE_ARN="arn:aws:iam::1:role/x", AWS_WEB_IDENTITY_TOKEN_FILE="/x")


def test_shared_credentials_file(home: Home) -> None:
    home.write(".aws/credentials", "[default]\naws_access_key_id=i\naws_secret_access_key=s\n")
    home.write(".aws/config", "[default]\naws_access_key_id=other\naws_secret_access_key=s\n")
    assert home.resolve() == Hmac("i", "s")
    other = home.write("shared", "[default]\naws_access_key_id=i2\naws_secret_access_key=s2\n")
    assert home.resolve(AWS_SHARED_CREDENTIALS_FILE=str(other)) == Hmac("i2", "s2")


def test_credential_process_is_left_out(home: Home) -> None:
    """No program is run to find credentials."""
    home.write(".aws/config", f"[default]\ncredential_process=touch {home.path / 'ran'}\n")
    with pytest.raises(CredentialsError):
        home.resolve()
    assert not (home.path / "ran").exists()


def test_config_file(home: Home) -> None:
    home.write(".aws/config", "[default]\naws_access_key_id=i\naws_secret_access_key=s\n")
    assert home.resolve() == Hmac("i", "s")
    other = home.write("config", "[default]\nibm_api_key_id=k\n")
    assert home.resolve(AWS_CONFIG_FILE=str(other)) == ApiKey("k")


def test_boto2_files_and_container_credentials_are_left_out(home: Home) -> None:
    """The metadata service of EC2 is left out too."""
    home.write(".boto", "[Credentials]\naws_access_key_id=i\naws_secret_access_key=s\n")
    with pytest.raises(CredentialsError, match="no credentials"):
        home.resolve(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9/")


def test_profile_argument(home: Home) -> None:
    home.write(".bluemix/cos_credentials", {"apikey": "file"})
    home.write(".aws/credentials", "[work]\nibm_api_key_id=work\n")
    assert home.resolve("work", **IBM, **AWS) == ApiKey("work")


def test_profile_variables(home: Home) -> None:
    home.write(".aws/credentials", "[work]\nibm_api_key_id=work\n")
    assert home.resolve(AWS_PROFILE="work") == ApiKey("work")
    assert home.resolve(AWS_DEFAULT_PROFILE="work", AWS_PROFILE="other") == ApiKey("work")
    home.write(".bluemix/cos_credentials", {"apikey": "file"})
    assert home.resolve(AWS_PROFILE="work") == ApiKey("file")


def test_no_credentials_found(home: Home) -> None:
    with pytest.raises(CredentialsError, match=r"no credentials: none were given.*cos_credentials.*Anonymous"):
        home.resolve()


def test_api_key_of_a_service_credential(home: Home) -> None:
    assert resolve_service_credential(home, apikey="k", resource_instance_id=CRN) == ApiKey("k", CRN)


def test_hmac_keys_of_a_service_credential(home: Home) -> None:
    assert resolve_service_credential(home, apikey="k", resource_instance_id=CRN, cos_hmac_keys=PAIR) == Hmac("i", "s")


def test_token_url_of_a_service_credential(home: Home) -> None:
    made = resolve_service_credential(home, apikey="k", iam_auth_endpoint="https://iam.test/oidc/token")
    assert made == ApiKey("k", None, "https://iam.test/oidc/token")


def test_unused_values_of_a_service_credential(home: Home) -> None:
    made = resolve_service_credential(
        home, apikey="k", iam_serviceid_crn="crn:x", endpoints="https://list", iam_apikey_name="n", iam_role_crn="r"
    )
    assert made == ApiKey("k")


def test_service_credential_without_keys(home: Home) -> None:
    for content in ({}, {"other": "x"}):
        home.write(".bluemix/cos_credentials", content)
        with pytest.raises(CredentialsError, match="no credentials"):
            home.resolve()


def test_incomplete_hmac_keys_of_a_service_credential(home: Home) -> None:
    for half in PAIR:
        with pytest.raises(ConfigError, match="incomplete HMAC keys"):
            resolve_service_credential(home, cos_hmac_keys={half: "x"})


def test_service_credential_that_is_not_json(home: Home) -> None:
    """IBM's SDK raises the error of the JSON decoder, which quotes the file."""
    home.write(".bluemix/cos_credentials", "apikey=hush")
    with pytest.raises(ConfigError, match="holds no JSON object") as caught:
        home.resolve()
    assert "hush" not in str(caught.value)


def test_service_credential_that_is_not_an_object(home: Home) -> None:
    home.write(".bluemix/cos_credentials", ["hush"])
    with pytest.raises(ConfigError, match="holds no JSON object"):
        home.resolve()


def test_section_with_an_api_key(home: Home) -> None:
    text = f"[default]\nibm_api_key_id=k\nibm_service_instance_id={CRN}\naws_access_key_id=i\naws_secret_access_key=s\n"
    home.write(".aws/credentials", text)
    assert home.resolve() == ApiKey("k", CRN)


def test_section_with_hmac_keys(home: Home) -> None:
    home.write(".aws/credentials", "[default]\naws_access_key_id=i\naws_secret_access_key=s\naws_session_token=t\n")
    assert home.resolve() == Hmac("i", "s", "t")


def test_profile_title_in_the_config_file(home: Home) -> None:
    home.write(".aws/config", "[profile work]\nibm_api_key_id=k\n")
    assert home.resolve("work") == ApiKey("k")


def test_api_key_and_instance_id_under_aws_names(home: Home) -> None:
    """IBM's documentation promises this, but IBM's SDK doesn't do it."""
    home.write(".aws/credentials", f"[default]\naws_access_key_id=k\naws_secret_access_key={CRN}\n")
    assert home.resolve() == ApiKey("k", CRN)
