"""The command-line application: the global options and the list of commands."""

import logging
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from aiocos.cli import api, buckets, cp, demo, emulator, ls, mv, settings, stdio, sync, uploads
from aiocos.cli.flags import Command, Group
from aiocos.cli.running import Settings, current_settings
from aiocos.version import __version__

app = typer.Typer(
    name="aiocos",
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        sys.stdout.write(f"aiocos {__version__}\n")
        raise typer.Exit


_CONNECTION, _CREDENTIALS = "Connection", "Credentials"
_VISIBLE = "Visible to every user of this machine; prefer"


@app.callback()
def options(
    endpoint: Annotated[
        str | None,
        typer.Option(help="URL of the service. Default: AIOCOS_ENDPOINT.", metavar="URL", rich_help_panel=_CONNECTION),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="Region instead of an endpoint: us-south, eu, ams03 …", metavar="REGION", rich_help_panel=_CONNECTION
        ),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            help="Network of the region's endpoint: public, private or direct.",
            metavar="NETWORK",
            rich_help_panel=_CONNECTION,
        ),
    ] = "public",
    no_verify_tls: Annotated[
        bool, typer.Option("--no-verify-tls", help="Do not verify TLS certificates.", rich_help_panel=_CONNECTION)
    ] = False,
    api_key: Annotated[
        str | None,
        typer.Option(help=f"IAM API key. {_VISIBLE} IBM_API_KEY_ID.", metavar="KEY", rich_help_panel=_CREDENTIALS),
    ] = None,
    service_instance_id: Annotated[
        str | None,
        typer.Option(
            help="CRN or GUID of the service instance. Default: IBM_SERVICE_INSTANCE_ID.",
            metavar="ID",
            rich_help_panel=_CREDENTIALS,
        ),
    ] = None,
    access_key_id: Annotated[
        str | None, typer.Option(help="HMAC access key id.", metavar="ID", rich_help_panel=_CREDENTIALS)
    ] = None,
    secret_access_key: Annotated[
        str | None,
        typer.Option(help=f"HMAC secret key. {_VISIBLE} AWS_SECRET_ACCESS_KEY.", metavar="KEY", rich_help_panel=_CREDENTIALS),
    ] = None,
    iam_endpoint: Annotated[
        str | None,
        typer.Option(
            help="URL of the IAM token service. Default: IBM_AUTH_ENDPOINT.", metavar="URL", rich_help_panel=_CREDENTIALS
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="Section of ~/.aws/credentials to use.", metavar="NAME", rich_help_panel=_CREDENTIALS),
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Send requests without credentials.", rich_help_panel=_CREDENTIALS)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log requests and retries to standard error; show tracebacks.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """IBM Cloud Object Storage from the command line.

    Paths in the service are `cos://bucket/key`. The options below go before the command: `aiocos --region eu-de ls`.

    Without credential options, credentials are looked up as IBM's SDK does: IBM_API_KEY_ID (with IBM_SERVICE_INSTANCE_ID and
    IBM_AUTH_ENDPOINT), AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, `~/.bluemix/cos_credentials`, `~/.aws/credentials`.

    Exit codes: 0 success; 1 the service refused or a transfer failed; 2 wrong usage; 130 interrupted with Ctrl-C; 128 + n ended
    by signal n.
    """
    if network not in ("public", "private", "direct"):
        raise typer.BadParameter(f"{network!r} is not a network: use --network public, private or direct")
    if verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("aiocos").setLevel(logging.DEBUG)
    current_settings.set(
        Settings(
            endpoint=endpoint,
            region=region,
            network=network,
            api_key=api_key,
            service_instance_id=service_instance_id,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            iam_endpoint=iam_endpoint,
            profile=profile,
            anonymous=anonymous,
            verify_tls=not no_verify_tls,
            verbose=verbose,
        )
    )


_COMMANDS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Objects": {
        "ls": ls.ls,
        "head": ls.head,
        "cp": cp.cp,
        "mv": mv.mv,
        "sync": sync.sync,
        "cat": stdio.cat,
        "rm": buckets.rm,
        "presign": settings.presign,
    },
    "Buckets": {
        "mb": buckets.mb,
        "rb": buckets.rb,
        "website": settings.website,
        "retention": settings.retention,
        "hold": settings.hold,
        "uploads": uploads.uploads,
    },
    "Emulator": {"emulator": emulator.emulator, "demo": demo.demo},
}
"""The commands of each panel of `aiocos --help`."""

for _panel, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, cls=Command, rich_help_panel=_panel)(_command)
app.command(
    "api",
    cls=Command,
    rich_help_panel="Every operation",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(api.api)
