"""The command-line application: the global options and the list of commands.

A command is imported when it runs: `aiocos --help` needs neither aiohttp nor pydantic.
"""

import sys
from collections.abc import Generator, Mapping, MutableMapping
from importlib import import_module
from typing import Annotated, Any, NamedTuple, cast

import typer

from aiocos.cli.flags import Command, Group
from aiocos.version import __version__


class _Listed(NamedTuple):
    """A command in the list of commands."""

    place: str
    """Module and function of the command, or the `typer.Typer` of a group of commands."""
    summary: str
    """First line of its help text. A test compares both."""
    settings: Mapping[str, Any] = {}
    """Settings of its context."""


_COMMANDS: dict[str, dict[str, _Listed]] = {
    "Objects": {
        "ls": _Listed("ls:ls", "List buckets, or the objects and prefixes in a bucket."),
        "head": _Listed("ls:head", "Show the properties of a bucket or object."),
        "cp": _Listed("cp:cp", "Copy files and objects: up, down, or within the service."),
        "mv": _Listed("mv:mv", "Move files and objects: up, down, or within the service."),
        "sync": _Listed("sync:sync", "Make a directory or prefix equal to another."),
        "cat": _Listed("stdio:cat", "Write an object to standard output."),
        "rm": _Listed("buckets:rm", "Delete an object, or with -r all whose key begins with a prefix."),
        "presign": _Listed("settings:presign", "Print a presigned URL for an object. Needs HMAC keys."),
    },
    "Buckets": {
        "mb": _Listed("buckets:mb", "Create a bucket."),
        "rb": _Listed("buckets:rb", "Delete a bucket. It must be empty, unless --force is given."),
        "website": _Listed("settings:website", "Show, set or remove the website configuration of a bucket."),
        "retention": _Listed("settings:retention", "Show or set the retention of a bucket or object."),
        "hold": _Listed("settings:hold", "Add, remove and list legal holds of an object."),
        "uploads": _Listed("uploads:uploads", "List and abort multipart uploads that are still open."),
    },
    "Emulator": {
        "emulator": _Listed("emulator:emulator", "Serve an emulator of COS and IAM on this machine until Ctrl-C."),
        "demo": _Listed("demo:demo", "Run a tour on an emulator: upload, download, compare, retention."),
    },
    "Every operation": {
        "api": _Listed(
            "api:api",
            "Call any operation of the service; print its result as JSON.",
            {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
        )
    },
}
"""The commands of each panel of `aiocos --help`."""

_LOOK: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": "markdown",
    "pretty_exceptions_enable": False,
}


def _load(name: str, panel: str, listed: _Listed) -> Any:
    """Import a command and return it as a command of click."""
    module, _, attribute = listed.place.partition(":")
    command = getattr(import_module(f"aiocos.cli.{module}"), attribute)
    parent = typer.Typer(cls=Group, **_LOOK)
    # With a callback, `parent` is a group although it has one command only.
    parent.callback()(_no_options)
    if isinstance(command, typer.Typer):
        parent.add_typer(command, name=name, rich_help_panel=panel)
    else:
        parent.command(name, cls=Command, rich_help_panel=panel, context_settings=dict(listed.settings) or None)(command)
    return cast("Any", typer.main.get_command(parent)).commands[name]


def _no_options() -> None:
    """Do nothing: a group without options of its own."""


class _Commands(MutableMapping[str, Any]):
    """The commands by name, each imported when it is looked up."""

    def __init__(self) -> None:
        self._listed = {name: (panel, one) for panel, commands in _COMMANDS.items() for name, one in commands.items()}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            panel, listed = self._listed[name]
            self._loaded[name] = _load(name, panel, listed)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._listed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def __iter__(self) -> Generator[str]:
        yield from self._listed

    def __len__(self) -> int:
        return len(self._listed)

    def brief(self, name: str) -> Command:
        """Return a command with only a name, a panel and a summary."""
        panel, listed = self._listed[name]
        return Command(name, help=listed.summary, rich_help_panel=panel)


class _Application(Group):
    """The group of all commands."""

    _lists = False

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: MutableMapping[str, Any] = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command. While the help is written, it is one without options."""
        if self._lists and cmd_name in self.commands:
            return cast("_Commands", self.commands).brief(cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help without importing the commands."""
        self._lists = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._lists = False


app = typer.Typer(
    name="aiocos",
    cls=_Application,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **_LOOK,
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
    import logging

    from aiocos.cli.running import Settings, current_settings

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
