"""The familiar face: `ibm_boto3` with `await` added, over the same operations, connections and tokens as `aiocos.Client`.

::

    from aiocos import ibm_boto3
    from aiocos.ibm_boto3 import ClientError, Config

    async with ibm_boto3.client("s3", ibm_api_key_id="…", ibm_service_instance_id="crn:…",
                                config=Config(signature_version="oauth"), endpoint_url="https://…") as cos:
        response = await cos.list_objects_v2(Bucket="photos")

Names of operations, parameters, members and error codes are those of IBM's SDK. The guide on migration has the differences.
"""

from __future__ import annotations

import logging
from typing import Literal, Unpack

from aiocos.ibm_boto3 import exceptions, s3, session
from aiocos.ibm_boto3.client import S3Client
from aiocos.ibm_boto3.config import UNSIGNED, Config
from aiocos.ibm_boto3.exceptions import BotoCoreError, ClientError
from aiocos.ibm_boto3.resource import ServiceResource
from aiocos.ibm_boto3.session import ClientCredentials, Session, SessionSettings

__all__ = [
    "UNSIGNED",
    "BotoCoreError",
    "ClientError",
    "Config",
    "S3Client",
    "ServiceResource",
    "Session",
    "client",
    "exceptions",
    "resource",
    "s3",
    "session",
    "set_stream_logger",
    "setup_default_session",
]

_default: list[Session] = []


def setup_default_session(**kwargs: Unpack[SessionSettings]) -> None:
    """Set the session that `client` and `resource` use; its parameters are those of `Session`."""
    _default[:] = [Session(**kwargs)]


def _session() -> Session:
    if not _default:
        setup_default_session()
    return _default[0]


def client(
    service_name: Literal["s3"] = "s3",
    region_name: str | None = None,
    api_version: str | None = None,
    use_ssl: bool = True,
    verify: bool | str | None = None,
    endpoint_url: str | None = None,
    config: Config | None = None,
    **credentials: Unpack[ClientCredentials],
) -> S3Client:
    """Return a client made by the default session: see `Session.client`."""
    return _session().client(service_name, region_name, api_version, use_ssl, verify, endpoint_url, config, **credentials)


def resource(
    service_name: Literal["s3"] = "s3",
    region_name: str | None = None,
    api_version: str | None = None,
    use_ssl: bool = True,
    verify: bool | str | None = None,
    endpoint_url: str | None = None,
    config: Config | None = None,
    **credentials: Unpack[ClientCredentials],
) -> ServiceResource:
    """Return a service resource made by the default session: see `Session.resource`."""
    return _session().resource(service_name, region_name, api_version, use_ssl, verify, endpoint_url, config, **credentials)


def set_stream_logger(name: str = "aiocos", level: int = logging.DEBUG, format_string: str | None = None) -> None:
    """Have what a logger says written to standard error, from a level on. The loggers of this library are below `aiocos`."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(format_string or "%(asctime)s %(name)s [%(levelname)s] %(message)s"))
    logger = logging.getLogger(name)
    logger.setLevel(level)
    logger.addHandler(handler)
