"""IBM's SDK interface, `ibm_boto3`, with `await`.

The operations, connections and tokens are those of `aiocos.Client`.

::

    from aiocos import ibm_boto3
    from aiocos.ibm_boto3 import ClientError, Config

    async with ibm_boto3.client("s3", ibm_api_key_id="…", ibm_service_instance_id="crn:…",
                                config=Config(signature_version="oauth"), endpoint_url="https://…") as cos:
        response = await cos.list_objects_v2(Bucket="photos")

Operations, parameters, response members and error codes have the names of IBM's SDK. The migration guide lists the differences.
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
    """Set the session that `client` and `resource` use.

    The parameters are those of `Session`.
    """
    _default[:] = [Session(**kwargs)]


def _default_session() -> Session:
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
    """Return a client of the default session.

    The parameters are those of `Session.client`.
    """
    return _default_session().client(
        service_name, region_name, api_version, use_ssl, verify, endpoint_url, config, **credentials
    )


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
    """Return a service resource of the default session.

    The parameters are those of `Session.client`.
    """
    return _default_session().resource(
        service_name, region_name, api_version, use_ssl, verify, endpoint_url, config, **credentials
    )


def set_stream_logger(name: str = "aiocos", level: int = logging.DEBUG, format_string: str | None = None) -> None:
    """Write the records of a logger to standard error.

    Args:
        name: Name of the logger; those of this library are `aiocos` and below.
        level: Lowest level to write.
        format_string: Format of a record; None shows time, name, level and message.
    """
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(format_string or "%(asctime)s %(name)s [%(levelname)s] %(message)s"))
    logger = logging.getLogger(name)
    logger.setLevel(level)
    logger.addHandler(handler)
