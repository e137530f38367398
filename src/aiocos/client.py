"""The client: an endpoint, an identity, and everything COS can be asked."""

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
from aiocos.transfer.abort import wait_for_aborts
from aiocos.transfer.manager import TransferManager, Transfers
from aiocos.wire.address import Endpoint, Network


class Client(Service, Transfers):
    """A client of IBM Cloud Object Storage.

    ::

        async with Client(region="us-south", api_key="…", service_instance_id="crn:…") as cos:
            await cos.objects.put("photos", "a.txt", b"hello")

    Made without I/O and outside any event loop; works again in a second `asyncio.run`; can be pickled, unless it borrows a
    session. Closed by `async with` or `await client.close()`, after which it can be used again.

    `endpoint` is a URL or host; or give `region` (`us-south`, `eu`, `ams03` …) and `network`. Of credentials: `api_key` with
    `service_instance_id` (IAM), `access_key_id` with `secret_access_key` (HMAC), both (IAM for calls, HMAC for presigned URLs),
    or `credentials`; without any, the environment and the usual files are looked through at the first request. `session` is an
    aiohttp session of yours whose connections are used; closing it stays with you.

    Without `endpoint` and `region` the endpoint is `AIOCOS_ENDPOINT` of the environment. Without `iam_endpoint`, and where the
    credentials name none, tokens are fetched at `IBM_AUTH_ENDPOINT` of the environment, wherever the credentials come from.
    Both are read when the client is made.
    """

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
            text = "TLS certificates are not verified: anybody on the way can read and change everything"
            warnings.warn(text, stacklevel=2)
        self._build(
            _place(endpoint, region, network),
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
        """The endpoint, `scheme://host[:port]`."""
        return self._state[0].origin

    @property
    def concurrency(self) -> ConcurrencyState:
        """How many requests are in flight in the running loop and how many may be, by what the service takes."""
        return self._engine.concurrency

    async def delegated_token(self, receiver: str = "aspera_ats") -> SecretStr:
        """Fetch a token with which another service may act for this client's API key: Aspera, by default. It lasts six days.

        Raises `CredentialsError` where the client has no API key, or IAM gives none.
        """
        token: Token = await self._state[1].delegation(self._settings, receiver)()
        return SecretStr(token.value)

    async def close(self) -> None:
        """Close the connections of the running loop, when uploads that were given up have been taken back.

        Transfers that were started and have not ended are cancelled. The client can be used again.
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
        """Sign requests and URLs by another clock than this machine's: an emulator's, which tests move by months and years."""
        self._clock.follow(clock)

    def __repr__(self) -> str:
        return f"Client({self.endpoint!r}, {type(self._state[1]).__name__})"

    def __getstate__(self) -> tuple[Any, ...]:
        if self._session is not None:
            raise TypeError("a client that borrows a session cannot be pickled: the session belongs to this process")
        return self._state

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        endpoint, credentials, service_instance_id, iam, config = state
        self._build(endpoint, credentials, service_instance_id, iam, config, None)


def _place(endpoint: str | None, region: str | None, network: Network) -> Endpoint:
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
