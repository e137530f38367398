"""The command-line application: global options and the list of commands."""

import logging
import sys
from typing import Annotated

import typer

from aiocos.cli import api, buckets, cp, demo, emulator, ls, mv, settings, stdio, sync, uploads
from aiocos.cli.running import Settings, chosen
from aiocos.version import __version__

app = typer.Typer(
    name="aiocos",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"aiocos {__version__}\n")
        raise typer.Exit


_CONNECTION, _CREDENTIALS = "Connection", "Credentials"
_VISIBLE = "Visible to every user of this machine; prefer"


@app.callback()
def options(
    endpoint: Annotated[
        str | None, typer.Option(help="URL of the service. Default: AIOCOS_ENDPOINT.", rich_help_panel=_CONNECTION)
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region instead of an endpoint: us-south, eu, ams03 …", rich_help_panel=_CONNECTION)
    ] = None,
    network: Annotated[
        str, typer.Option(help="Network of the region's endpoint: public, private or direct.", rich_help_panel=_CONNECTION)
    ] = "public",
    no_verify_tls: Annotated[
        bool, typer.Option("--no-verify-tls", help="Do not verify TLS certificates.", rich_help_panel=_CONNECTION)
    ] = False,
    api_key: Annotated[
        str | None, typer.Option(help=f"IAM API key. {_VISIBLE} IBM_API_KEY_ID.", rich_help_panel=_CREDENTIALS)
    ] = None,
    service_instance_id: Annotated[
        str | None, typer.Option(help="CRN or GUID of the service instance.", rich_help_panel=_CREDENTIALS)
    ] = None,
    access_key_id: Annotated[str | None, typer.Option(help="HMAC access key id.", rich_help_panel=_CREDENTIALS)] = None,
    secret_access_key: Annotated[
        str | None, typer.Option(help=f"HMAC secret key. {_VISIBLE} AWS_SECRET_ACCESS_KEY.", rich_help_panel=_CREDENTIALS)
    ] = None,
    iam_endpoint: Annotated[
        str | None, typer.Option(help="URL of the IAM token service. Default: IBM_AUTH_ENDPOINT.", rich_help_panel=_CREDENTIALS)
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Section of ~/.aws/credentials to use.", rich_help_panel=_CREDENTIALS)
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Send requests without credentials.", rich_help_panel=_CREDENTIALS)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log requests and retries to standard error; show tracebacks.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """IBM Cloud Object Storage from the command line. Paths are `cos://bucket/key`. Put the options below before the command.

    Without credential options, credentials are looked up as IBM's SDK does: IBM_API_KEY_ID (with IBM_SERVICE_INSTANCE_ID and
    IBM_AUTH_ENDPOINT), AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, `~/.bluemix/cos_credentials`, `~/.aws/credentials`.

    Exit codes: 0 success, 1 the service refused or a transfer failed, 2 wrong usage, 130 interrupted by Ctrl-C.
    """
    if network not in ("public", "private", "direct"):
        raise typer.BadParameter(f"--network is {network!r}: use public, private or direct")
    if verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("aiocos").setLevel(logging.DEBUG)
    options = Settings(
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
    chosen.set(options)


app.command("ls")(ls.ls)
app.command("head")(ls.head)
app.command("cp")(cp.cp)
app.command("mv")(mv.mv)
app.command("sync")(sync.sync)
app.command("cat")(stdio.cat)
app.command("rm")(buckets.rm)
app.command("mb")(buckets.mb)
app.command("rb")(buckets.rb)
app.command("presign")(settings.presign)
app.command("retention")(settings.retention)
app.add_typer(settings.hold, name="hold")
app.add_typer(uploads.uploads, name="uploads")
app.command("website")(settings.website)
app.command("api", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})(
    api.api
)
app.command("emulator")(emulator.emulator)
app.command("demo")(demo.demo)
