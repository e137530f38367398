"""`Config`: options that apply, and options that are refused."""

from __future__ import annotations

import re

import pytest

from aiocos import ibm_boto3
from aiocos.errors import ConfigError
from aiocos.ibm_boto3 import Config, exceptions


def test_unsupported_services_and_options_are_refused() -> None:
    with pytest.raises(exceptions.UnknownServiceError, match="Unknown service: 'sqs'"):
        ibm_boto3.client("sqs")
    with pytest.raises(exceptions.ResourceNotExistsError, match="'sqs' resource"):
        ibm_boto3.resource("sqs")
    with pytest.raises(exceptions.InvalidConfigError, match="client\\(\\) has no parameter colour"):
        ibm_boto3.client("s3", colour="red")
    with pytest.raises(exceptions.PartialCredentialsError, match="missing: aws_secret_access_key"):
        ibm_boto3.client("s3", aws_access_key_id="half")
    with pytest.raises(exceptions.InvalidConfigError, match="not an http or https URL"):
        ibm_boto3.client("s3", endpoint_url="ftp://cos.example")
    for options, said in [
        ({"proxies": {}}, "unsupported option proxies; the options are region_name"),
        ({"signature_version": "s3"}, "signature_version is"),
        ({"s3": {"addressing_style": "odd"}}, "addressing_style"),
        ({"s3": {"use_accelerate_endpoint": True}}, "unsupported option s3.use_accelerate_endpoint"),
        ({"retries": {"many": 1}}, "retries has no many"),
        ({"retries": -2}, "retries"),
        ({"request_checksum_calculation": "never"}, "request_checksum_calculation"),
        ({"read_timeout": 0}, "idle_timeout"),
    ]:
        with pytest.raises(ConfigError, match=re.escape(said)):
            Config(**options).applied()


def test_options_become_settings() -> None:
    config = Config(
        region_name="eu-de",
        connect_timeout=3,
        read_timeout=4,
        max_pool_connections=5,
        retries={"max_attempts": 6, "mode": "adaptive"},
        s3={"addressing_style": "virtual"},
        user_agent_extra="mine/1",
        tcp_keepalive=True,
        user_agent_appid="app-1",
    )
    client = ibm_boto3.client("s3", config=config.merge(Config(retries=1)), ibm_api_key_id="key", verify=None)
    settings = client.typed.config
    assert (settings.connect_timeout, settings.idle_timeout, settings.max_connections) == (3, 4, 5)
    assert (settings.retry.attempts, settings.addressing, settings.user_agent) == (2, "virtual", "mine/1 app/app-1")
    assert client.meta.endpoint_url == "https://s3.eu-de.cloud-object-storage.appdomain.cloud"
    assert (settings.checksum, Config(request_checksum_calculation="when_required").applied().checksum) == ("crc32", "md5")
    assert ibm_boto3.client("s3", endpoint_url="cos.example", use_ssl=False).meta.endpoint_url == "http://cos.example"
    assert ibm_boto3.client("s3", verify="/a/file", endpoint_url="cos.example").typed.config.ca_file == "/a/file"
    Config(s3={"use_accelerate_endpoint": False, "addressing_style": None}, proxies=None)
    with pytest.warns(UserWarning, match="not verified"):
        ibm_boto3.client("s3", verify=False, endpoint_url="cos.example")
