"""The application: its options, its commands, and how a command is run."""

import asyncio
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from aiocos.auth.base import Anonymous
from aiocos.cli import buckets, copying, demo, listing, piping, serving
from aiocos.cli.arguments import chosen
from aiocos.cli.display import complain, explain
from aiocos.client import Client
from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, CosError
from aiocos.version import __version__
from aiocos.wire.address import Network

app = typer.Typer(
    name="aiocos",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"aiocos {__version__}\n")
        raise typer.Exit


_WHERE, _WHO = "Where", "Who"
_SEEN = "Seen by all users of this machine: better in"


@app.callback()
def options(
    endpoint: Annotated[
        str | None, typer.Option(help="URL of the service; else AIOCOS_ENDPOINT.", rich_help_panel=_WHERE)
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Location, instead of an endpoint: us-south, eu …", rich_help_panel=_WHERE)
    ] = None,
    network: Annotated[str, typer.Option(help="public, private or direct.", rich_help_panel=_WHERE)] = "public",
    no_verify_tls: Annotated[
        bool, typer.Option("--no-verify-tls", help="Accept any certificate.", rich_help_panel=_WHERE)
    ] = False,
    api_key: Annotated[str | None, typer.Option(help=f"IAM API key. {_SEEN} IBM_API_KEY_ID.", rich_help_panel=_WHO)] = None,
    service_instance_id: Annotated[str | None, typer.Option(help="Instance: CRN or GUID.", rich_help_panel=_WHO)] = None,
    access_key_id: Annotated[str | None, typer.Option(help="HMAC key id.", rich_help_panel=_WHO)] = None,
    secret_access_key: Annotated[
        str | None, typer.Option(help=f"HMAC secret. {_SEEN} AWS_SECRET_ACCESS_KEY.", rich_help_panel=_WHO)
    ] = None,
    iam_endpoint: Annotated[
        str | None, typer.Option(help="Where tokens come from; else IBM_AUTH_ENDPOINT.", rich_help_panel=_WHO)
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Section of ~/.aws/credentials.", rich_help_panel=_WHO)] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Without credentials.", rich_help_panel=_WHO)] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens; show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """IBM Cloud Object Storage from the command line. Paths are `cos://bucket/key`; the options below stand before the command.

    Credentials that are not given are looked for where IBM's SDK looks: IBM_API_KEY_ID (with IBM_SERVICE_INSTANCE_ID and
    IBM_AUTH_ENDPOINT), AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, `~/.bluemix/cos_credentials`, `~/.aws/credentials`.

    Exit codes: 0 done, 1 the service or a transfer said no, 2 usage, 130 interrupted.
    """
    if network not in ("public", "private", "direct"):
        raise typer.BadParameter(f"{network!r} is no network: public, private or direct")
    if verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("aiocos").setLevel(logging.DEBUG)
    made = Settings(
        endpoint,
        region,
        network,
        api_key,
        service_instance_id,
        access_key_id,
        secret_access_key,
        iam_endpoint,
        profile,
        anonymous,
        not no_verify_tls,
        verbose,
    )
    chosen.set(made)


app.command("ls")(listing.ls)
app.command("head")(listing.head)
app.command("cp")(copying.cp)
app.command("cat")(piping.cat)
app.command("rm")(buckets.rm)
app.command("mb")(buckets.mb)
app.command("rb")(buckets.rb)
app.command("emulator")(serving.emulator)
app.command("demo")(demo.demo)
