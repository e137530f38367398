"""Where clients and resources are made: `ibm_boto3.client("s3", …)`, `ibm_boto3.Session(…).resource("s3", …)`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack

from aiocos.auth.chain import settings_of
from aiocos.client import Client
from aiocos.config import ClientConfig
from aiocos.ibm_boto3.client import S3Client
from aiocos.ibm_boto3.config import Config
from aiocos.ibm_boto3.exceptions import (
    InvalidConfigError,
    ProfileNotFound,
    ResourceNotExistsError,
    UnknownServiceError,
    configured,
)
from aiocos.ibm_boto3.identity import Secret, identity
from aiocos.ibm_boto3.resource import ServiceResource

_REGION = "us-south"


class ClientCredentials(TypedDict, total=False):
    """Credentials that a client may be given in place of those of its session."""

    aws_access_key_id: str | None
    """Access key of an HMAC pair; None takes the session's."""
    aws_secret_access_key: Secret | None
    """Secret key of the HMAC pair; None takes the session's."""
    aws_session_token: Secret | None
    """Session token of temporary HMAC keys; None sends none."""
    ibm_api_key_id: Secret | None
    """API key of IBM Cloud, exchanged for IAM tokens; None takes the session's."""
    ibm_service_instance_id: str | None
    """CRN or GUID of the service instance, needed to list and create buckets; None takes the session's."""
    ibm_auth_endpoint: str | None
    """URL of the IAM service that issues the tokens; None is `https://iam.cloud.ibm.com`."""
    auth_function: Callable[[], Any] | None
    """Function (plain or async) that returns a token as a dictionary with `access_token` and `expires_in`."""
    token_manager: Any
    """Object whose `get_token()` (plain or async) returns a token, called for every request."""


class SessionSettings(ClientCredentials, total=False):
    """Parameters of `Session`."""

    region_name: str | None
    """Region whose public endpoint is used if a client is given none, such as `eu-de`; None is `us-south`."""
    profile_name: str | None
    """Profile of `~/.aws/credentials` and `~/.aws/config`; None is `AWS_DEFAULT_PROFILE`, `AWS_PROFILE` or `default`."""


class Session:
    """Credentials and a region for the clients and resources made of it.

    Without any, clients look for credentials where IBM's SDK does: the environment, `~/.bluemix/cos_credentials`,
    `~/.aws/credentials` (see the guide on credentials).
    """

    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: Secret | None = None,
        aws_session_token: Secret | None = None,
        region_name: str | None = None,
        profile_name: str | None = None,
        *,
        ibm_api_key_id: Secret | None = None,
        ibm_service_instance_id: str | None = None,
        ibm_auth_endpoint: str | None = None,
        auth_function: Callable[[], Any] | None = None,
        token_manager: Any = None,
    ) -> None:
        self.profile_name = profile_name
        self._settings = self._of_profile()
        self.region_name = region_name or os.environ.get("AWS_DEFAULT_REGION") or self._settings.get("region")
        self._given: dict[str, Any] = {
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
            "ibm_api_key_id": ibm_api_key_id,
            "ibm_service_instance_id": ibm_service_instance_id,
            "ibm_auth_endpoint": ibm_auth_endpoint,
            "auth_function": auth_function,
            "token_manager": token_manager,
        }

    def _of_profile(self) -> dict[str, str]:
        """What the files of AWS say of the profile."""
        with configured():
            found = settings_of(self.profile_name)
        if found is None and self.profile_name is not None:
            raise ProfileNotFound(self.profile_name)
        return found or {}

    def __repr__(self) -> str:
        return f"Session(region_name={self.region_name!r})"

    def get_available_services(self) -> list[str]:
        """The services there are."""
        return ["s3"]

    def get_available_resources(self) -> list[str]:
        """The services with resources."""
        return ["s3"]

    def client(
        self,
        service_name: Literal["s3"] = "s3",
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        **credentials: Unpack[ClientCredentials],
    ) -> S3Client:
        """Make a client: of S3, whose operations are those of Cloud Object Storage.

        `endpoint_url` is the service's; without it, `AIOCOS_ENDPOINT`, `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` of the
        environment and `endpoint_url` of the profile are looked at, and then it is that of `region_name` (`us-south`). `verify`
        is False to check no certificates, or a file of certificates to trust, as `AWS_CA_BUNDLE` names one. `credentials` are
        those of the session: `ibm_api_key_id`, `ibm_service_instance_id`, `ibm_auth_endpoint`, `aws_access_key_id`,
        `aws_secret_access_key`, `aws_session_token`, `auth_function`, `token_manager`. Makes no request. Raises
        `InvalidConfigError`, `PartialCredentialsError`.
        """
        if service_name != "s3":  # pyright: ignore[reportUnnecessaryComparison]
            raise UnknownServiceError(f"Unknown service: {service_name!r}. Valid service names are: s3")
        if unknown := sorted(set(credentials) - set(self._given)):
            raise InvalidConfigError(f"client() takes no {', '.join(unknown)}; credentials are {', '.join(self._given)}")
        config = config or Config()
        given: dict[str, Any] = {**self._given, **{name: value for name, value in credentials.items() if value is not None}}
        region = region_name or config.region_name or self.region_name
        endpoint = self._endpoint(endpoint_url, use_ssl)
        with configured():
            settings = _verified(config.applied(ClientConfig()), verify)
            client = Client(
                endpoint,
                region=None if endpoint else region or _REGION,
                config=replace(settings, region=region) if region else settings,
                iam_endpoint=given["ibm_auth_endpoint"],
                service_instance_id=given["ibm_service_instance_id"],
                **identity(given, config.signature_version, self.profile_name),
            )
        return S3Client(client, config)

    def _endpoint(self, url: str | None, use_ssl: bool) -> str | None:
        if url is None and os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
            named = (os.environ.get(name) for name in ("AIOCOS_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
            url = next(filter(None, named), None) or self._settings.get("endpoint_url")
        if not url or "://" in url:
            return url or None
        return f"{'https' if use_ssl else 'http'}://{url}"

    def resource(
        self,
        service_name: Literal["s3"] = "s3",
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        **credentials: Unpack[ClientCredentials],
    ) -> ServiceResource:
        """Make a service resource, with a client of its own: `resource.meta.client`. Parameters are those of `client`."""
        if service_name != "s3":  # pyright: ignore[reportUnnecessaryComparison]
            raise ResourceNotExistsError(f"The {service_name!r} resource does not exist. The available resource is: s3")
        return ServiceResource(
            self.client(service_name, region_name, api_version, use_ssl, verify, endpoint_url, config, **credentials)
        )


def _verified(settings: ClientConfig, verify: bool | str | None) -> ClientConfig:
    if isinstance(verify, str):
        return replace(settings, ca_file=verify)
    if verify is None and (bundle := os.environ.get("AWS_CA_BUNDLE")):
        return replace(settings, ca_file=bundle)
    return settings if verify is not False else replace(settings, verify_tls=False)
