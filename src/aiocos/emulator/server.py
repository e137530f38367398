"""The server of the emulator.

It listens, and manages service instances and their credentials.

S3 and IAM share one port (see the module `emulator.iam`). The server binds a loopback address only, because its credentials are
for tests and its traffic is plain http.
"""

import asyncio
import os
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, get_args

from aiohttp import web

from aiocos.emulator.clock import Clock
from aiocos.emulator.context import Behavior
from aiocos.emulator.expect_continue import close_if_waiting
from aiocos.emulator.faults import Faults
from aiocos.emulator.handlers.protection import MANAGED
from aiocos.emulator.iam import Iam
from aiocos.emulator.metadata import Metadata
from aiocos.emulator.service import EmulatorService, HandledRequest
from aiocos.emulator.store import Instance, Key, Store, Transaction, buckets
from aiocos.emulator.store.buckets import new_instance, new_key
from aiocos.emulator.store.rows import Profile, Role
from aiocos.emulator.website import Website
from aiocos.errors import ConfigError
from aiocos.wire.address import is_loopback

S = TypeVar("S", bound="Server")

# Limits of aiohttp's parser in bytes: headers with 4 MB of metadata, and a percent-encoded key of 1,024 bytes twice in a URL.
_MAX_HEADER = 5 * 1024 * 1024
_MAX_LINE = 64 * 1024
_READ = 256 * 1024


class Server:
    """A server that emulates COS and IAM on a loopback port.

    Attributes: `clock`, `faults` (scripted errors), `iam` (the token service), `requests` (the last 10,000 requests).

    Args:
        data: Directory that keeps the data between runs. It must be new, empty, or from an earlier emulator (marked by a file
            `AIOCOS_EMULATOR`). It gets the mode 0700, because the database holds keys. None uses a temporary directory.
        host: Loopback address to listen on.
        port: Port of S3 and IAM; 0 takes a free one.
        api_key: API key of the emulator's own instance. Credentials that are None are generated, and kept with the data.
        service_instance_id: CRN of the emulator's own instance.
        access_key_id: HMAC access key id of the instance.
        secret_access_key: HMAC secret key of the instance.
        clock: The clock; None follows the clock of the machine.
        token_lifetime: Lifetime of IAM tokens in seconds.
        allow_remote: True allows a `host` that other machines can reach.
        website_port: Port of the website endpoint; 0 takes a free one, None serves no websites.
        metadata_port: Port of the metadata service of virtual servers; 0 takes a free one, None serves none.
        honors_conditional_completion: False ignores If-Match, If-None-Match and If-Unmodified-Since at
            CompleteMultipartUpload: IBM documents them for PUT, HEAD and GET only.
        honors_forbid_overwrite: False ignores `x-ibm-forbid-overwrite`, which an administrator has to enable.
        checksums: False behaves like COS before August 2025, see the property `checksums`.

    Raises:
        ConfigError: `host` is not a loopback address; at the start, if `data` has other files or is used by another emulator.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        service_instance_id: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        clock: Clock | None = None,
        token_lifetime: int = 3600,
        allow_remote: bool = False,
        website_port: int | None = 0,
        metadata_port: int | None = None,
        honors_conditional_completion: bool = True,
        honors_forbid_overwrite: bool = True,
        checksums: bool = True,
    ) -> None:
        if not allow_remote and not is_loopback(host, listening=True):
            raise ConfigError(f"{host} is not a loopback address; the emulator's traffic is not encrypted (allow_remote=True)")
        self.data = data
        self.clock = clock or Clock()
        self.faults = Faults()
        self.iam = Iam(self.clock, expires_in=token_lifetime)
        self.requests: deque[HandledRequest] = deque(maxlen=10_000)
        self._behavior = Behavior(honors_conditional_completion, honors_forbid_overwrite, checksums)
        self._host = host
        self._port = port
        self._credentials = (service_instance_id, api_key, access_key_id, secret_access_key)
        self._store: Store | None = None
        self._service: EmulatorService | None = None
        self._website_port = None if website_port is False else website_port  # False is 0 elsewhere: any port
        self._metadata_port = metadata_port
        self._runner: web.ServerRunner | None = None
        self._website_runner: web.ServerRunner | None = None
        self._metadata_runner: web.ServerRunner | None = None
        self._instance: Instance | None = None

    @property
    def checksums(self) -> bool:
        """True if the emulator knows `x-amz-checksum-*`.

        It can be changed while the emulator runs. False ignores these headers and trailers, like COS before August 2025: they
        are neither verified nor returned nor stored, and a request that needs a checksum needs `Content-MD5`. Objects that are
        written meanwhile have no checksum.
        """
        return self._behavior.checksums

    @checksums.setter
    def checksums(self, value: bool) -> None:
        self._behavior.checksums = value

    async def start(self) -> None:
        """Open the store and start to listen.

        Raises `ConfigError` if the emulator is already running.
        """
        if self._runner is not None:
            raise ConfigError("the emulator is already running")
        self._store = Store(self.data)
        try:
            self._instance = await self._own_instance(self._store)
            self._service = EmulatorService(self._store, self.clock, self.iam, self.faults, self.requests, self._behavior)
            self._runner = await _listen(self._service.respond, self._host, self._port)
            self._service.endpoint = self.endpoint
            if self._website_port is not None:
                website = Website(self._store, self.clock, self._service, self.requests)
                self._website_runner = await _listen(website.respond, self._host, self._website_port)
            if self._metadata_port is not None:
                self.metadata = Metadata(self.iam, self.clock)
                self._metadata_runner = await _listen(self.metadata.respond, self._host, self._metadata_port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening and close the store. Every write that was confirmed is stored."""
        runners = [runner for runner in (self._metadata_runner, self._website_runner, self._runner) if runner is not None]
        self._metadata_runner = self._website_runner = self._runner = None
        store, self._store = self._store, None
        self.faults.end()
        for runner in runners:
            await runner.cleanup()
        if store is not None:
            await store.close()

    async def serve(self) -> None:
        """Run the emulator until this coroutine is cancelled."""
        async with self:
            await asyncio.get_running_loop().create_future()

    async def __aenter__(self: S) -> S:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _own_instance(self, store: Store) -> Instance:
        crn, api_key, access_key_id, secret = self._credentials
        known = next((i for i in store.instances if crn in (None, i.crn)), None)
        if known is not None and not any((api_key, access_key_id, secret)):
            return known
        if known is None:
            created = new_instance(crn, api_key, access_key_id, secret)
        else:
            created = new_instance(
                known.crn,
                api_key or known.api_key,
                access_key_id or known.access_key_id,
                secret or known.secret_access_key,
            )
        await store.add_instance(created)
        return created

    async def add_instance(self, service_instance_id: str | None = None) -> Instance:
        """Create another service instance with its own credentials.

        It acts like another customer's instance.

        Args:
            service_instance_id: CRN of the instance; None generates one.
        """
        created = new_instance(service_instance_id)
        store, service = self._running()
        await store.add_instance(created)
        service.set_credentials(store.instances, store.keys)
        return created

    async def add_api_key(self, role: Role, instance: Instance | None = None) -> Key:
        """Create an API key and an HMAC key pair for another user.

        Args:
            role: Role of the user: Reader, Writer or Manager.
            instance: Service instance; None is the emulator's own.

        Raises:
            ConfigError: The role or the instance is unknown.
        """
        store, service = self._running()
        owner = instance or self.instance
        if role not in get_args(Role):
            raise ConfigError(f"{role!r} is not a role: use {', '.join(get_args(Role))}")
        if owner.crn not in service.by_name:
            raise ConfigError(f"{owner.crn} is not an instance of this emulator")
        created = new_key(owner, role)
        await store.add_key(created)
        service.set_credentials(store.instances, store.keys)
        return created

    async def add_trusted_profile(self, name: str, role: Role = "Writer", instance: Instance | None = None) -> Profile:
        """Create a trusted profile.

        A client can use it with its `compute_token`, with an API key of the account, or, with `metadata_port`, as a virtual
        server does.

        Args:
            name: Name of the profile.
            role: Role of its tokens: Reader, Writer or Manager.
            instance: Service instance that the tokens are for; None is the emulator's own.
        """
        key = await self.add_api_key(role, instance)
        account = key.instance.crn.split(":")[6].removeprefix("a/")
        id_ = f"Profile-{uuid.uuid4()}"
        crn = f"crn:v1:bluemix:public:iam-identity::a/{account}::profile:{id_}"
        created = Profile(id_, crn, name, account, os.urandom(32).hex(), key)
        self.iam.profiles.append(created)
        return created

    @property
    def metadata_endpoint(self) -> str:
        """The URL of the metadata service.

        Virtual servers reach the real service at 169.254.169.254.
        """
        if self._metadata_runner is None or not self._metadata_runner.addresses:
            raise ConfigError("the emulator serves no metadata: it is not running, or was made without metadata_port=0")
        address: Any = self._metadata_runner.addresses[0]
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{address[1]}"

    async def activate_protection_management(self, bucket: str) -> None:
        """Mark the protection of a bucket as managed. Only the reported status changes."""
        store, _ = self._running()

        def write(t: Transaction) -> None:
            found = buckets.find(t.connection, bucket)
            if found is None:
                raise ConfigError(f"the bucket {bucket} does not exist")
            buckets.set_setting(t, found.id, MANAGED, "active")

        await store.write(write)

    def _running(self) -> tuple[Store, EmulatorService]:
        if self._store is None or self._service is None:
            raise ConfigError("the emulator is not running: use it with `async with`")
        return self._store, self._service

    @property
    def store(self) -> Store:
        """The store, for tests that inspect stored data directly."""
        return self._running()[0]

    @property
    def port(self) -> int:
        """The port of S3 and IAM."""
        if self._runner is None or not self._runner.addresses:
            raise ConfigError("the emulator is not running: use it with `async with`")
        address: Any = self._runner.addresses[0]
        return int(address[1])

    @property
    def endpoint(self) -> str:
        """The URL of the S3 endpoint."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}"

    def website_endpoint(self, bucket: str) -> str:
        """Return the URL of a bucket's website.

        Browsers resolve every name under `localhost` to this machine.
        """
        if self._website_runner is None or not self._website_runner.addresses:
            raise ConfigError("the emulator serves no websites: it is not running, or was made with website_port=None")
        address: Any = self._website_runner.addresses[0]
        return f"http://{bucket}.s3-web.localhost:{address[1]}/"

    @property
    def iam_endpoint(self) -> str:
        """The URL of the token endpoint, as `ibm_auth_endpoint` of IBM's SDK expects it."""
        return f"{self.endpoint}/identity/token"

    @property
    def instance(self) -> Instance:
        """The emulator's own service instance, with its credentials."""
        if self._instance is None:
            raise ConfigError("the emulator is not running: use it with `async with`")
        return self._instance

    @property
    def api_key(self) -> str:
        """The API key of the emulator's own instance."""
        return self.instance.api_key

    @property
    def service_instance_id(self) -> str:
        """The CRN of the emulator's own instance."""
        return self.instance.crn

    @property
    def access_key_id(self) -> str:
        """The HMAC access key id of the emulator's own instance."""
        return self.instance.access_key_id

    @property
    def secret_access_key(self) -> str:
        """The HMAC secret key of the emulator's own instance."""
        return self.instance.secret_access_key


async def _listen(answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], host: str, port: int) -> web.ServerRunner:
    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        response = await answer(request)
        if not response.prepared:
            close_if_waiting(request, response)
        return response

    server = web.Server(
        respond,
        access_log=None,
        auto_decompress=False,  # bodies are stored as received
        read_bufsize=_READ,
        max_line_size=_MAX_LINE,
        max_field_size=_MAX_HEADER,
        lingering_time=5.0,
    )
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    try:
        await runner.setup()
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner
