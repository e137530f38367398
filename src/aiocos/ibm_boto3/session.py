"""`Session`: credentials and a region from which clients and resources are made."""

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
from aiocos.ibm_boto3.credentials import Secret, client_credentials
from aiocos.ibm_boto3.exceptions import (
    InvalidConfigError,
    ProfileNotFound,
    ResourceNotExistsError,
    UnknownServiceError,
    translate_config_errors,
)
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
    """Credentials and a region for clients and resources.

    If no credentials are given, clients look for them where IBM's SDK does: in the environment, `~/.bluemix/cos_credentials`
    and `~/.aws/credentials` (see the guide on credentials).

    Args:
        aws_access_key_id: Access key of an HMAC pair.
        aws_secret_access_key: Secret key of the HMAC pair.
        aws_session_token: Session token of temporary HMAC keys.
        region_name: Region whose public endpoint is used if a client is given none; None is `AWS_DEFAULT_REGION`, the region of
            the profile, or `us-south`.
        profile_name: Profile of `~/.aws/credentials` and `~/.aws/config`; None is `AWS_DEFAULT_PROFILE`, `AWS_PROFILE` or
            `default`.
        ibm_api_key_id: API key of IBM Cloud, exchanged for IAM tokens.
        ibm_service_instance_id: CRN or GUID of the service instance, needed to list and create buckets.
        ibm_auth_endpoint: URL of the IAM service that issues the tokens.
        auth_function: Function (plain or async) that returns a token as a dictionary with `access_token` and `expires_in`.
        token_manager: Object whose `get_token()` (plain or async) returns a token, called for every request.

    Raises:
        ProfileNotFound: `profile_name` is given and no file has it.
        InvalidConfigError: A configuration file cannot be read.
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
        self._settings = self._profile_settings()
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

    def _profile_settings(self) -> dict[str, str]:
        """Return the settings of the profile in the configuration files of AWS."""
        with translate_config_errors():
            found = settings_of(self.profile_name)
        if found is None and self.profile_name is not None:
            raise ProfileNotFound(self.profile_name)
        return found or {}

    def __repr__(self) -> str:
        return f"Session(region_name={self.region_name!r})"

    def get_available_services(self) -> list[str]:
        """Return the names of the services: `s3`."""
        return ["s3"]

    def get_available_resources(self) -> list[str]:
        """Return the names of the services that have resources: `s3`."""
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
        """Return a client of Cloud Object Storage. No request is sent.

        Args:
            service_name: Always `s3`.
            region_name: Region whose public endpoint is used if there is no `endpoint_url`; None is that of the session.
            api_version: Accepted without effect.
            use_ssl: False uses `http` for an `endpoint_url` without a scheme.
            verify: False does not check certificates; a path names a file of certificates to trust. None is the file that
                `AWS_CA_BUNDLE` names, or the certificates of the system.
            endpoint_url: URL of the endpoint; None is `AIOCOS_ENDPOINT`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` of the
                environment, `endpoint_url` of the profile, or the public endpoint of the region.
            config: Timeouts, retries and further settings; None is `Config()`.
            **credentials: Credentials in place of those of the session: see `Session`.

        Raises:
            UnknownServiceError: `service_name` is not `s3`.
            InvalidConfigError: A setting is invalid, or there is no credential of a given name.
            PartialCredentialsError: One key of an HMAC pair is missing.
        """
        if service_name != "s3":  # pyright: ignore[reportUnnecessaryComparison]
            raise UnknownServiceError(f"Unknown service: {service_name!r}. Valid service names are: s3")
        if unknown := sorted(set(credentials) - set(self._given)):
            raise InvalidConfigError(
                f"client() has no parameter {', '.join(unknown)}; the credentials are {', '.join(self._given)}"
            )
        config = config or Config()
        given: dict[str, Any] = {**self._given, **{name: value for name, value in credentials.items() if value is not None}}
        region = region_name or config.region_name or self.region_name
        endpoint = self._endpoint(endpoint_url, use_ssl)
        with translate_config_errors():
            settings = _with_certificates(config.applied(ClientConfig()), verify)
            client = Client(
                endpoint,
                region=None if endpoint else region or _REGION,
                config=replace(settings, region=region) if region else settings,
                iam_endpoint=given["ibm_auth_endpoint"],
                service_instance_id=given["ibm_service_instance_id"],
                **client_credentials(given, config.signature_version, self.profile_name),
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
        """Return a service resource with its own client, `resource.meta.client`.

        The parameters are those of the method `client`.

        Raises:
            ResourceNotExistsError: `service_name` is not `s3`.
        """
        if service_name != "s3":  # pyright: ignore[reportUnnecessaryComparison]
            raise ResourceNotExistsError(f"The {service_name!r} resource does not exist. The available resource is: s3")
        return ServiceResource(
            self.client(service_name, region_name, api_version, use_ssl, verify, endpoint_url, config, **credentials)
        )


def _with_certificates(settings: ClientConfig, verify: bool | str | None) -> ClientConfig:
    if isinstance(verify, str):
        return replace(settings, ca_file=verify)
    if verify is None and (bundle := os.environ.get("AWS_CA_BUNDLE")):
        return replace(settings, ca_file=bundle)
    return settings if verify is not False else replace(settings, verify_tls=False)
