"""The application: its options, its commands, and how a command is run."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.traceback import install as show_tracebacks

from aiocos.auth.base import Anonymous
from aiocos.cli import buckets, copying, demo, listing, serving
from aiocos.cli.arguments import chosen
from aiocos.cli.display import complain
from aiocos.client import Client
from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, CosError
from aiocos.version import __version__
from aiocos.wire.address import Network

app = typer.Typer(
    name="aiocos",
    help="IBM Cloud Object Storage from the command line. Paths are cos://bucket/key.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass
class Settings:
    """The options before the command: where to connect, and as whom."""

    endpoint: str | None
    region: str | None
    network: Network
    api_key: str | None
    service_instance_id: str | None
    access_key_id: str | None
    secret_access_key: str | None
    iam_endpoint: str | None
    profile: str | None
    anonymous: bool
    verify_tls: bool
    verbose: bool

    def client(self) -> Client:
        """Make the client that the options describe."""
        return Client(
            self.endpoint,
            region=self.region,
            network=self.network,
            api_key=self.api_key,
            service_instance_id=self.service_instance_id,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
            iam_endpoint=self.iam_endpoint,
            profile=self.profile,
            credentials=Anonymous() if self.anonymous else None,
            config=ClientConfig(verify_tls=self.verify_tls, user_agent="aiocos-cli"),
        )

    def run(self, work: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
        """Run a command with a client; see `carry_out` for how it ends."""

        async def with_client() -> None:
            async with self.client() as client:
                await work(client)

        carry_out(with_client, verbose=self.verbose)


def carry_out(work: Callable[[], Coroutine[Any, Any, None]], *, verbose: bool) -> None:
    """Run a command to its end. 0: done; 1: the service or a transfer said no; 2: usage; 130: Ctrl-C."""
    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        complain("interrupted; nothing was left half done")
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # Whoever reads has had enough. The interpreter must not complain about it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except (CosError, OSError) as error:
        if verbose:
            raise
        complain(str(error))
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"aiocos {__version__}\n")
        raise typer.Exit


# A secret on a command line is seen by everybody on the machine.
_WHERE, _WHO = "Where", "Who (better in the environment or a credentials file)"


@app.callback()
def options(
    endpoint: Annotated[
        str | None, typer.Option(envvar="AIOCOS_ENDPOINT", help="URL of the service.", rich_help_panel=_WHERE)
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Location, instead of an endpoint: us-south, eu …", rich_help_panel=_WHERE)
    ] = None,
    network: Annotated[str, typer.Option(help="public, private or direct.", rich_help_panel=_WHERE)] = "public",
    no_verify_tls: Annotated[
        bool, typer.Option("--no-verify-tls", help="Accept any certificate.", rich_help_panel=_WHERE)
    ] = False,
    api_key: Annotated[str | None, typer.Option(help="IAM API key.", rich_help_panel=_WHO)] = None,
    service_instance_id: Annotated[str | None, typer.Option(help="Instance: CRN or GUID.", rich_help_panel=_WHO)] = None,
    access_key_id: Annotated[str | None, typer.Option(help="HMAC key id.", rich_help_panel=_WHO)] = None,
    secret_access_key: Annotated[str | None, typer.Option(help="HMAC secret.", rich_help_panel=_WHO)] = None,
    iam_endpoint: Annotated[str | None, typer.Option(help="Where tokens come from.", rich_help_panel=_WHO)] = None,
    profile: Annotated[str | None, typer.Option(help="Section of ~/.aws/credentials.", rich_help_panel=_WHO)] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Without credentials.", rich_help_panel=_WHO)] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens; show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """IBM Cloud Object Storage from the command line. Options stand before the command."""
    if network not in ("public", "private", "direct"):
        raise typer.BadParameter(f"{network!r} is no network: public, private or direct")
    if verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("aiocos").setLevel(logging.DEBUG)
        show_tracebacks(show_locals=False)
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
app.command("cat")(copying.cat)
app.command("rm")(buckets.rm)
app.command("mb")(buckets.mb)
app.command("rb")(buckets.rb)
app.command("emulator")(serving.emulator)
app.command("demo")(demo.demo)
