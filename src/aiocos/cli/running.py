"""How a command is run: the options before it, the client that they describe, and how it ends."""

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
from aiocos.cli.display import complain, explain
from aiocos.client import Client
from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, CosError
from aiocos.wire.address import Network


@dataclass
class Settings:
    """The options before the command: where to connect, and as whom."""

    endpoint: str | None
    region: str | None
    network: Network
    api_key: str | None = field(repr=False)
    service_instance_id: str | None
    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)
    iam_endpoint: str | None
    profile: str | None
    anonymous: bool
    verify_tls: bool
    verbose: bool

    def client(self) -> Client:
        """Make the client that the options describe."""
        instance, iam = self.service_instance_id, self.iam_endpoint
        if self.api_key is not None:
            # A key given here is for the same place as the one it replaces; it must not be shown to another IAM.
            instance = instance or os.environ.get("IBM_SERVICE_INSTANCE_ID")
            iam = iam or os.environ.get("IBM_AUTH_ENDPOINT")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            client = Client(
                self.endpoint,
                region=self.region,
                network=self.network,
                api_key=self.api_key,
                service_instance_id=instance,
                access_key_id=self.access_key_id,
                secret_access_key=self.secret_access_key,
                iam_endpoint=iam,
                profile=self.profile,
                credentials=Anonymous() if self.anonymous else None,
                config=ClientConfig(verify_tls=self.verify_tls, user_agent="aiocos-cli"),
            )
        for warning in said:
            complain(str(warning.message))
        return client

    def run(self, work: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
        """Run a command with a client; see `carry_out` for how it ends."""

        async def with_client() -> None:
            async with self.client() as client:
                await work(client)

        carry_out(with_client, verbose=self.verbose)


def carry_out(work: Callable[[], Coroutine[Any, Any, None]], *, verbose: bool) -> None:
    """Run a command to its end. 0: done; 1: the service or a transfer said no; 2: usage; 130: Ctrl-C; 128 + n: signal n."""
    stopped: list[signal.Signals] = []
    try:
        asyncio.run(_stoppable(work, stopped))
        # What is still in the buffer may find that nobody reads.
        sys.stdout.flush()
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        if not stopped:
            raise
        complain(f"stopped by {stopped[0].name}")
        raise typer.Exit(128 + stopped[0]) from None
    except BrokenPipeError:
        # Whoever reads has had enough. The interpreter must not complain about it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except (CosError, OSError) as error:
        if verbose:
            explain()
        complain(_told(error))
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None


async def _stoppable(work: Callable[[], Coroutine[Any, Any, None]], stopped: list[signal.Signals]) -> None:
    """Run a command so that being told to stop (`timeout`, a terminal that is closed) takes uploads back, as Ctrl-C does."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop(number: signal.Signals) -> None:
        stopped.append(number)
        task.cancel()

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What is ignored stays so: that is how `nohup` works. Other threads and other systems know no handlers.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, stop, number)
    await work()


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and not isinstance(error, CosError):
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    return str(error)


chosen: ContextVar[Settings] = ContextVar("chosen")


def settings() -> Settings:
    """The options that stood before the command."""
    return chosen.get()
