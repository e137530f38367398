"""The commands `hold`, `retention`, `website` and `presign`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

from aiocos.cli.arguments import Json
from aiocos.cli.display import format_time, print_text, printable, show_json
from aiocos.cli.flags import Command, Group
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.operations.protection import ProtectionConfiguration, RetentionState
from aiocos.operations.website import WebsiteConfiguration

_Object = Annotated[str, typer.Argument(help="cos://bucket/key")]
_Bucket = Annotated[str, typer.Argument(help="cos://bucket")]
_PERIOD = re.compile(r"(\d+)\s*([smhdy]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}

hold = typer.Typer(
    cls=Group,
    help="Add, remove and list legal holds of an object.\n\nThe bucket must have a retention policy.",
    no_args_is_help=True,
)


def parse_period(text: str) -> timedelta:
    """Parse a period: `90` (seconds), `15m`, `12h`, `30d`, `7y` (years of 365 days)."""
    match = _PERIOD.fullmatch(text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a period: write 90 (seconds), 15m, 12h, 30d or 7y")
    try:
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"the period {text[:40]!r} is too long") from None


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 date or time. A text without a time zone is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time: write 2030-01-31 or 2030-01-31T12:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@hold.command("add", cls=Command)
def add_hold(
    path: _Object, hold_id: Annotated[str, typer.Argument(help="Id of the hold: 1 to 64 letters, digits and !_.*()-")]
) -> None:
    """Add a legal hold to an object."""
    target = CosPath.parse(path).of_object()

    async def work(client: Client) -> None:
        await client.legal_holds.add(target.bucket, target.key, hold_id)

    settings().run(work)


@hold.command("rm", cls=Command)
def remove_hold(path: _Object, hold_id: Annotated[str, typer.Argument(help="Id of the hold to remove.")]) -> None:
    """Remove a legal hold from an object."""
    target = CosPath.parse(path).of_object()

    async def work(client: Client) -> None:
        await client.legal_holds.delete(target.bucket, target.key, hold_id)

    settings().run(work)


@hold.command("ls", cls=Command)
def list_holds(path: _Object, as_json: Json = False) -> None:
    """List the legal holds of an object."""
    target = CosPath.parse(path).of_object()

    async def work(client: Client) -> None:
        for legal_hold in await client.legal_holds.list(target.bucket, target.key):
            if as_json:
                show_json(legal_hold)
            else:
                print_text(f"{format_time(legal_hold.date):19}  {printable(legal_hold.id)}")

    settings().run(work)


def retention(
    path: Annotated[str, typer.Argument(help="cos://bucket or cos://bucket/key")],
    minimum: Annotated[int | None, typer.Option(help="Bucket: minimum retention in days.", metavar="DAYS")] = None,
    default: Annotated[
        int | None,
        typer.Option(help="Bucket: retention in days of objects that are stored without a retention.", metavar="DAYS"),
    ] = None,
    maximum: Annotated[int | None, typer.Option(help="Bucket: maximum retention in days.", metavar="DAYS")] = None,
    permanent: Annotated[bool | None, typer.Option("--permanent", help="Bucket: allow permanent retention.")] = None,
    extend: Annotated[
        str | None, typer.Option(help="Object: extend the retention by this period, such as 30d.", metavar="PERIOD")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Object: extend the retention to this time, such as 2030-01-31.", metavar="TIME")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or set the retention of a bucket or object.

    Without options, it is shown. --minimum, --default and --maximum set the retention policy of a bucket, and are needed
    together. --extend and --until extend the retention of an object.
    """
    target = CosPath.parse(path)
    days = (minimum, default, maximum)
    if target.key and any(d is not None for d in days):
        raise typer.BadParameter(f"{path} is an object: --minimum, --default and --maximum are for buckets")
    if not target.key and (extend or until):
        raise typer.BadParameter(f"{path} is a bucket: --extend and --until are for objects")

    async def work(client: Client) -> None:
        if target.key:
            if extend or until:
                await client.retention.extend(
                    target.bucket,
                    target.key,
                    additional_period=parse_period(extend) if extend else None,
                    new_expires=parse_time(until) if until else None,
                )
            _show_state(await client.retention.get(target.bucket, target.key), as_json)
            return
        if any(d is not None for d in days) or permanent:
            await client.protection.put(target.bucket, _policy(minimum, default, maximum, permanent))
        _show_policy(await client.protection.get(target.bucket), as_json)

    settings().run(work)


def _policy(minimum: int | None, default: int | None, maximum: int | None, permanent: bool | None) -> ProtectionConfiguration:
    if minimum is None or default is None or maximum is None:
        raise typer.BadParameter("a retention policy needs all of --minimum, --default and --maximum")
    return ProtectionConfiguration.of_days(minimum=minimum, default=default, maximum=maximum, permanent=permanent)


def _show_policy(policy: ProtectionConfiguration, as_json: bool) -> None:
    if as_json:
        show_json(policy)
        return
    print_text(f"{'status':24}  {policy.status}")
    periods = {"minimum": policy.minimum_retention, "default": policy.default_retention, "maximum": policy.maximum_retention}
    for name, period in periods.items():
        if period is not None:
            print_text(f"{name:24}  {period.days} days")
    if policy.enable_permanent_retention:
        print_text(f"{'permanent':24}  allowed")


def _show_state(state: RetentionState, as_json: bool) -> None:
    if as_json:
        show_json(state)
        return
    period = {None: "none", -1: "indefinite", -2: "permanent"}.get(state.retention_period)
    print_text(f"{'created':24}  {format_time(state.create_time)}")
    print_text(f"{'period':24}  {period or timedelta(seconds=state.retention_period or 0)}")
    if state.retention_expires is not None:
        print_text(f"{'ends':24}  {format_time(state.retention_expires)}")
    print_text(f"{'legal holds':24}  {', '.join(printable(hold.id) for hold in state.legal_holds) or 'none'}")


def website(
    path: _Bucket,
    index: Annotated[
        str | None, typer.Option(help="Serve the bucket as a website with this index page, such as index.html.", metavar="KEY")
    ] = None,
    error: Annotated[
        str | None, typer.Option(help="Key of the page to serve for errors; needs --index.", metavar="KEY")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the website configuration.")] = False,
    as_json: Json = False,
) -> None:
    """Show, set or remove the website configuration of a bucket.

    Without options, it is shown. To set routing rules, use `aiocos api put-bucket-website`.
    """
    target = CosPath.parse(path)
    if target.key.strip("/"):
        raise typer.BadParameter(f"{path} is not a bucket: write cos://bucket")
    if error is not None and index is None:
        raise typer.BadParameter("--error needs --index: a website must have an index page")

    async def work(client: Client) -> None:
        if delete:
            await client.website.delete(target.bucket)
            return
        if index is not None:
            await client.website.put(target.bucket, WebsiteConfiguration.of(index, error))
        site = await client.website.get(target.bucket)
        if as_json:
            show_json(site)
            return
        if site.redirect_all_requests_to is not None:
            print_text(f"{'redirects to':24}  {printable(site.redirect_all_requests_to.host_name)}")
        print_text(f"{'index':24}  {printable(site.index_document.suffix) if site.index_document else 'none'}")
        print_text(f"{'error page':24}  {printable(site.error_document.key) if site.error_document else 'none'}")
        print_text(f"{'routing rules':24}  {len(site.routing_rules or ())}")

    settings().run(work)


def presign(
    path: _Object,
    method: Annotated[
        str, typer.Option(help="HTTP method that the URL allows: GET, PUT, HEAD or DELETE.", metavar="METHOD")
    ] = "GET",
    expires: Annotated[
        str, typer.Option(help="Lifetime of the URL: 90 (seconds), 15m, 12h, at most 7d.", metavar="PERIOD")
    ] = "1h",
) -> None:
    """Print a presigned URL for an object. Needs HMAC keys.

    Anyone who has the URL may send requests of the method until the URL expires.
    """
    target = CosPath.parse(path).of_object()
    methods: dict[str, Literal["GET", "PUT", "HEAD", "DELETE"]]
    methods = {"GET": "GET", "PUT": "PUT", "HEAD": "HEAD", "DELETE": "DELETE"}
    http_method = methods.get(method.upper())
    if http_method is None:
        raise typer.BadParameter(f"{method!r} is not a method that can be presigned: use {', '.join(methods)}")

    async def work(client: Client) -> None:
        print_text(client.objects.presign(target.bucket, target.key, method=http_method, expires=parse_period(expires)))

    settings().run(work)
