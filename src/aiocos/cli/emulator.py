"""The command `emulator`: serve an emulator of COS and IAM for any client."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiocos.cli.arguments import Json
from aiocos.cli.display import print_text, show_json
from aiocos.cli.running import run_command, settings

if TYPE_CHECKING:
    from aiocos.emulator import Emulator


def emulator(
    port: Annotated[int, typer.Option(help="Port of the S3 and IAM endpoints; 0 chooses a free port.", metavar="PORT")] = 9000,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.", metavar="ADDRESS")] = "127.0.0.1",
    website_port: Annotated[int, typer.Option(help="Port of the website endpoint; 0 chooses a free port.", metavar="PORT")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Directory for the data: new, empty, or from an earlier run. Default: temporary.", metavar="DIRECTORY"
        ),
    ] = None,
    ignore_conditional_completion: Annotated[
        bool,
        typer.Option(
            "--ignore-conditional-completion", help="Ignore If-Match and If-None-Match when a multipart upload is completed."
        ),
    ] = False,
    ignore_forbid_overwrite: Annotated[
        bool, typer.Option("--ignore-forbid-overwrite", help="Ignore the header x-ibm-forbid-overwrite.")
    ] = False,
    ignore_checksums: Annotated[
        bool, typer.Option("--ignore-checksums", help="Ignore the headers x-amz-checksum-*, like COS before August 2025.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Serve an emulator of COS and IAM on this machine until Ctrl-C."""
    from aiocos.emulator import Emulator  # imported here: other commands start faster

    async def work() -> None:
        async with Emulator(
            data,
            host=host,
            port=port,
            website_port=website_port,
            honors_conditional_completion=not ignore_conditional_completion,
            honors_forbid_overwrite=not ignore_forbid_overwrite,
            checksums=not ignore_checksums,
        ) as server:
            _announce(server, data, as_json)
            await _wait_for_stop()

    run_command(work, verbose=settings().verbose)


def _announce(server: "Emulator", data: Path | None, as_json: bool) -> None:
    details = {
        "endpoint": server.endpoint,
        "iam_endpoint": server.iam_endpoint,
        "api_key": server.api_key,
        "service_instance_id": server.service_instance_id,
        "access_key_id": server.access_key_id,
        "secret_access_key": server.secret_access_key,
        "website_endpoint": server.website_endpoint("{bucket}"),
    }
    if as_json:
        show_json(details)
        sys.stdout.flush()
        return
    print_text(
        f"COS is served at {server.endpoint}; data is {f'kept in {data}' if data else 'deleted at the end'}. Ctrl-C stops it."
    )
    print_text(f"Websites are served at {server.website_endpoint('<bucket>')}\n")
    iam = {
        "IBM_API_KEY_ID": server.api_key,
        "IBM_SERVICE_INSTANCE_ID": server.service_instance_id,
        "IBM_AUTH_ENDPOINT": server.iam_endpoint,
    }
    hmac = {"AWS_ACCESS_KEY_ID": server.access_key_id, "AWS_SECRET_ACCESS_KEY": server.secret_access_key}
    for title, pairs in (("With IAM:", iam), ("With HMAC:", hmac)):
        print_text(title)
        for name, value in {"AIOCOS_ENDPOINT": server.endpoint, **pairs}.items():
            print_text(f"  export {name}='{value}'")
    sys.stdout.flush()


async def _wait_for_stop() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Event loops on Windows have no signal handlers; Ctrl-C cancels the task there.
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    await stop.wait()
