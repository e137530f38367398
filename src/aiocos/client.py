"""The client: an endpoint, credentials, and the groups of methods."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any

import aiohttp
from pydantic import SecretStr

from aiocos.auth.base import AuthSettings, Credentials, SigningClock
from aiocos.auth.chain import from_arguments
from aiocos.auth.tokens import Token
from aiocos.call import Engine
from aiocos.config import ClientConfig
from aiocos.errors import ConfigError
from aiocos.groups import Service
from aiocos.net.limiter import ConcurrencyState
from aiocos.net.transport import EphemeralTransport, Transport
from aiocos.transfer.cleanup import wait_for_aborts
from aiocos.transfer.manager import TransferManager, Transfers
from aiocos.wire.address import Endpoint, Network


class Client(Service, Transfers):
    """A client of IBM Cloud Object Storage.

    ::

        async with Client(region="us-south", api_key="…", service_instance_id="crn:…") as cos:
            await cos.objects.put("photos", "a.txt", b"hello")

    Creating a client does no I/O and needs no event loop. `async with` or `await client.close()` closes it; after that it can
    be used again, also in another event loop. It can be pickled, unless it uses a session of yours.

    Args:
        endpoint: URL or host of the service. Without `endpoint` and `region`, the environment variable `AIOCOS_ENDPOINT`, read
            when the client is created.
        region: Region in place of an endpoint: `us-south`, `eu`, `ams03`, … The endpoint follows from region and network.
        network: Network of the region's endpoint: `public`, `private` or `direct`.
        api_key: IBM Cloud API key. The client exchanges it for IAM tokens.
        service_instance_id: CRN or GUID of the service instance; needed to create and list buckets with an API key.
        access_key_id: Access key of an HMAC credential, with `secret_access_key`. Together with `api_key`, calls use IAM tokens
            and presigned URLs use the HMAC keys.
        secret_access_key: Secret key of the HMAC credential.
        session_token: Session token of temporary HMAC keys.
        credentials: A `Credentials` object, in place of keys. Without any credentials, the environment and the usual files are
            searched at the first request.
        profile: Section of `~/.aws/credentials` and `~/.aws/config` to read credentials from, in place of keys.
        iam_endpoint: URL of IAM. None uses the one that the credentials name, then the environment variable
            `IBM_AUTH_ENDPOINT` (read when the client is created), then IBM Cloud's.
        config: Settings. None uses the defaults of `ClientConfig`.
        session: An aiohttp session whose connections are used. You close it yourself.

    Raises:
        ConfigError: The arguments contradict each other, or there is no endpoint.
    """

    config: ClientConfig
    """Settings of the client."""

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        region: str | None = None,
        network: Network = "public",
        api_key: str | SecretStr | None = None,
        service_instance_id: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | SecretStr | None = None,
        session_token: str | SecretStr | None = None,
        credentials: Credentials | None = None,
        profile: str | None = None,
        iam_endpoint: str | None = None,
        config: ClientConfig | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        identity = from_arguments(
            api_key=api_key,
            service_instance_id=service_instance_id,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            session_token=session_token,
            iam_endpoint=iam_endpoint,
            credentials=credentials,
            profile=profile,
        )
        if config is not None and not config.verify_tls:
            text = "TLS certificates are not verified: anyone on the network path can read and change the traffic"
            warnings.warn(text, stacklevel=2)
        self._build(
            _endpoint(endpoint, region, network),
            identity,
            service_instance_id,
            (iam_endpoint, os.environ.get("IBM_AUTH_ENDPOINT")),
            config or ClientConfig(),
            session,
        )

    def _build(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        service_instance_id: str | None,
        iam: tuple[str | None, str | None],
        config: ClientConfig,
        session: aiohttp.ClientSession | None,
    ) -> None:
        self._state = (endpoint, credentials, service_instance_id, iam, config)
        self._session = session
        self.config = config
        self._clock = SigningClock()
        settings = AuthSettings(
            region=config.region,
            iam_endpoint=iam[0],
            iam_endpoint_default=iam[1],
            verify_tls=config.verify_tls,
            http=lambda: EphemeralTransport(config),
            clock=self._clock,
        )
        self._settings = settings
        Transfers.__init__(self, TransferManager(self))
        Service.__init__(
            self,
            Engine(
                endpoint,
                credentials.authorizer(settings),
                Transport(config, session),
                config,
                lambda: service_instance_id or credentials.service_instance_id,
                lambda: credentials.presigner(settings),
            ),
        )

    @property
    def endpoint(self) -> str:
        """Return the URL of the endpoint, without a path."""
        return self._state[0].origin

    @property
    def concurrency(self) -> ConcurrencyState:
        """Requests in flight in the running event loop, and their limit.

        The limit follows the service's responses: see `ConcurrencyConfig`.
        """
        return self._engine.concurrency

    async def delegated_token(self, receiver: str = "aspera_ats") -> SecretStr:
        """Fetch a token with which another service may act for this client's API key.

        The token lasts six days.

        Args:
            receiver: IAM client id of that service. The default is Aspera's.

        Raises:
            CredentialsError: The client has no API key, or IAM refuses the token.
        """
        token: Token = await self._state[1].delegation(self._settings, receiver)()
        return SecretStr(token.value)

    async def close(self) -> None:
        """Close the connections.

        Background transfers are cancelled, and aborts of failed uploads are waited for, before that. This concerns the running
        event loop only. The client can be used again.
        """
        try:
            await self._caller.end()
            await wait_for_aborts(self)
        finally:
            await self._engine.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _sign_by(self, clock: Callable[[], float]) -> None:
        """Sign requests and URLs by another clock, such as that of an emulator."""
        self._clock.follow(clock)

    def __repr__(self) -> str:
        return f"Client({self.endpoint!r}, {type(self._state[1]).__name__})"

    def __getstate__(self) -> tuple[Any, ...]:
        if self._session is not None:
            raise TypeError("a client with a session of yours cannot be pickled: the session belongs to this process")
        return self._state

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        endpoint, credentials, service_instance_id, iam, config = state
        self._build(endpoint, credentials, service_instance_id, iam, config, None)


def _endpoint(endpoint: str | None, region: str | None, network: Network) -> Endpoint:
    if endpoint is not None and region is not None:
        raise ConfigError("give an endpoint or a region, not both")
    if endpoint is not None:
        return Endpoint.parse(endpoint)
    if region is not None:
        return Endpoint.of_region(region, network)
    if found := os.environ.get("AIOCOS_ENDPOINT"):
        return Endpoint.parse(found)
    raise ConfigError(
        "no endpoint: give endpoint='https://s3.us-south.cloud-object-storage.appdomain.cloud' or region='us-south'"
    )
