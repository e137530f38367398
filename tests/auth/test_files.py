"""Reading files with credentials: missing, unreadable or malformed files, and file modes."""

from __future__ import annotations

import warnings

import pytest

from aiocos.auth.chain import settings_of
from aiocos.auth.iam import ApiKey
from aiocos.errors import ConfigError, CredentialsError

from .homes import Home, assert_hides_secret


def test_error_names_an_unreadable_file(home: Home) -> None:
    (home.path / ".bluemix/cos_credentials").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cos_credentials cannot be read"):
        home.resolve()


@pytest.mark.parametrize(
    "content", ["aws_secret_access_key=s3cr3t\n", "[default]\ns3cr3t\n", "[default]\na=s3cr3t\n[default]\n"]
)
def test_error_for_an_invalid_ini_file_hides_its_content(home: Home, content: str) -> None:
    path = home.write(".aws/credentials", content)
    with pytest.raises(ConfigError) as raised:
        home.resolve()
    assert str(path) in str(raised.value)
    assert_hides_secret(raised.value)


def test_default_section_is_not_inherited(home: Home) -> None:
    home.write(".aws/credentials", "[DEFAULT]\nibm_api_key_id=upper\n[work]\nregion=x\n")
    with pytest.raises(CredentialsError, match="no credentials"):
        home.resolve("work")


def test_file_in_place_of_a_directory_counts_as_missing(home: Home) -> None:
    home.write(".bluemix", "a file")
    home.write(".aws", "a file")
    with pytest.raises(CredentialsError, match="no credentials"):
        home.resolve()
    assert settings_of(environ={}, home=home.path) is None


@pytest.mark.parametrize(
    ("content", "line"),
    [("a = 1\n", "(line 1)"), ("# x\n\na = 1\n", "(line 3)"), ("[default]\nword\n", ""), ("[a]\n[a]\n", "(line 2)")],
)
def test_error_for_an_invalid_ini_file_has_the_line_if_known(home: Home, content: str, line: str) -> None:
    path = home.write(".aws/config", content)
    with pytest.raises(ConfigError) as raised:
        settings_of(environ={}, home=home.path)
    assert str(raised.value) == f"{path} is not an INI file" + (f" {line}" if line else "")


def test_env_file(home: Home) -> None:
    name = "RESOURCE_CONFIGURATION_"
    text = f"# {name}APIKEY=comment\n  # {name}APIKEY=comment\nwithout\n {name}APIKEY = a=b \n{name}SCOPE=\n"
    home.environ = {"IBM_CREDENTIALS_FILE": str(home.write("ibm.env", text)), f"{name}APIKEY": "environment"}
    assert home.resolve() == ApiKey("a=b"), "the file wins"
    home.environ["IBM_CREDENTIALS_FILE"] = str(home.path / "missing")
    assert home.resolve() == ApiKey("environment")


@pytest.mark.parametrize("file", [".bluemix/cos_credentials", ".aws/credentials", ".aws/config"])
def test_warning_for_files_that_everybody_can_read(home: Home, file: str) -> None:
    content = '{"apikey": "k"}' if "cos" in file else "[default]\nibm_api_key_id=k\n"
    path = home.write(file, content)
    path.chmod(0o640)
    assert home.resolve() == ApiKey("k"), "a group may be intended"
    path.chmod(0o604)
    with pytest.warns(UserWarning, match=f"{path.name} holds credentials and can be read by everybody"):
        assert home.resolve() == ApiKey("k")


def test_warning_is_given_once_for_each_file(home: Home) -> None:
    path = home.write(".aws/credentials", "[default]\nibm_api_key_id=hush\n")
    path.chmod(0o644)
    with pytest.warns(UserWarning, match="can be read by everybody.*chmod 600") as said:
        assert home.resolve() == home.resolve()
    assert len(said) == 1
    assert "hush" not in str(said[0].message)
    # There is no warning for a file without credentials.
    home.write(".aws/config", "[default]\nregion=us\n").chmod(0o644)
    path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CredentialsError):
            home.resolve()
