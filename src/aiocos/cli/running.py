"""Run a command: build the client, run the event loop, set the exit code."""

import asyncio
import os
import signal
import sys
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import typer

from aiocos.auth.base import Anonymous
from aiocos.cli.display import print_error, print_traceback
from aiocos.client import Client
from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, CosError
from aiocos.wire.address import Network


@dataclass
class Settings:
    """The global options. None means that an option was not given."""

    endpoint: str | None
    """URL of the service; None: `AIOCOS_ENDPOINT`, or the endpoint of `region`."""
    region: str | None
    """Region whose endpoint is used instead of a URL."""
    network: Network
    """Network of the region's endpoint."""
    api_key: str | None = field(repr=False)
    """IAM API key; replaces `IBM_API_KEY_ID`."""
    service_instance_id: str | None
    """CRN or GUID of the service instance."""
    access_key_id: str | None
    """HMAC access key id."""
    secret_access_key: str | None = field(repr=False)
    """HMAC secret key."""
    iam_endpoint: str | None
    """URL of the IAM token service."""
    profile: str | None
    """Section of `~/.aws/credentials`."""
    anonymous: bool
    """True sends requests without credentials."""
    verify_tls: bool
    """False accepts any TLS certificate."""
    verbose: bool
    """True logs requests, and shows tracebacks of errors."""

    def client(self) -> Client:
        """Return a client with these options. Warnings are written to standard error."""
        instance_id, iam_endpoint = self.service_instance_id, self.iam_endpoint
        if self.api_key is not None:
            # --api-key replaces only IBM_API_KEY_ID. The key must not be sent to another IAM than the environment names.
            instance_id = instance_id or os.environ.get("IBM_SERVICE_INSTANCE_ID")
            iam_endpoint = iam_endpoint or os.environ.get("IBM_AUTH_ENDPOINT")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            client = Client(
                self.endpoint,
                region=self.region,
                network=self.network,
                api_key=self.api_key,
                service_instance_id=instance_id,
                access_key_id=self.access_key_id,
                secret_access_key=self.secret_access_key,
                iam_endpoint=iam_endpoint,
                profile=self.profile,
                credentials=Anonymous() if self.anonymous else None,
                config=ClientConfig(verify_tls=self.verify_tls, user_agent="aiocos-cli"),
            )
        for warning in caught:
            print_error(str(warning.message))
        return client

    def run(self, work: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
        """Run a command with a client; `run_command` sets the exit code."""

        async def with_client() -> None:
            async with self.client() as client:
                await work(client)

        run_command(with_client, verbose=self.verbose)


def run_command(work: Callable[[], Coroutine[Any, Any, None]], *, verbose: bool) -> None:
    """Run a command in a new event loop and turn its outcome into an exit code.

    0: success. 1: the service refused or a transfer failed. 2: wrong usage. 130: Ctrl-C. 128 + n: signal n.
    """
    received: list[signal.Signals] = []
    try:
        asyncio.run(_cancel_on_signal(work, received))
        # Flush here, so that a closed pipe raises BrokenPipeError now and not when the interpreter exits.
        sys.stdout.flush()
    except KeyboardInterrupt:
        print_error("interrupted")
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        if not received:
            raise
        print_error(f"stopped by {received[0].name}")
        raise typer.Exit(128 + received[0]) from None
    except BrokenPipeError:
        # The reader closed the pipe (`aiocos ls | head`). Without this, the interpreter would report it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except (CosError, OSError) as error:
        if verbose:
            print_traceback()
        print_error(_message(error))
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None


async def _cancel_on_signal(work: Callable[[], Coroutine[Any, Any, None]], received: list[signal.Signals]) -> None:
    """Run a command and cancel it on SIGTERM or SIGHUP.

    Cancelling aborts open uploads, as on Ctrl-C. The signals are appended to `received`.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # An ignored signal stays ignored: `nohup` relies on it. Handlers exist only in the main thread, and not on Windows.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, stop, number)
    await work()


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and not isinstance(error, CosError):
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    return str(error)


current_settings: ContextVar[Settings] = ContextVar("current_settings")
"""The global options of the running command; set by `aiocos.cli.app`."""


def settings() -> Settings:
    """Return the global options of the running command."""
    return current_settings.get()
