"""`hold`, `retention`, `website` and `presign`: what a bucket or an object is set to, from the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

from aiocos.cli.arguments import Json
from aiocos.cli.display import moment, printable, say, show_json
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.operations.protection import ProtectionConfiguration, RetentionState
from aiocos.operations.website import WebsiteConfiguration

_Object = Annotated[str, typer.Argument(help="cos://bucket/key")]
_Bucket = Annotated[str, typer.Argument(help="cos://bucket")]
_SPAN = re.compile(r"(\d+)\s*([smhdy]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}

hold = typer.Typer(help="Legal holds of an object in a bucket with a retention policy.", no_args_is_help=True)


def span_of(text: str) -> timedelta:
    """Read a period: `90` (seconds), `15m`, `12h`, `30d`, `7y`."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no period: 90 (seconds), 15m, 12h, 30d, 7y")
    try:
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"{text[:40]!r} is too long a period") from None


def moment_of(text: str) -> datetime:
    """Read a time; without a zone it is UTC."""
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: 2030-01-31, 2030-01-31T12:00:00Z") from None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


@hold.command("add")
def add_hold(path: _Object, hold_id: Annotated[str, typer.Argument(help="1 to 64 letters, digits and !_.*()-")]) -> None:
    """Place a hold."""
    target = CosPath.parse(path).of_object()

    async def work(client: Client) -> None:
        await client.legal_holds.add(target.bucket, target.key, hold_id)

    settings().run(work)


@hold.command("rm")
def lift_hold(path: _Object, hold_id: Annotated[str, typer.Argument(help="The hold to lift.")]) -> None:
    """Lift a hold."""
    target = CosPath.parse(path).of_object()

    async def work(client: Client) -> None:
        await client.legal_holds.delete(target.bucket, target.key, hold_id)

    settings().run(work)


@hold.command("ls")
def list_holds(path: _Object, as_json: Json = False) -> None:
    """List the holds of an object."""
    target = CosPath.parse(path).of_object()

    async def work(client: Client) -> None:
        for one in (await client.legal_holds.list(target.bucket, target.key)).legal_holds:
            if as_json:
                show_json(one)
            else:
                say(f"{moment(one.date):19}  {printable(one.id)}")

    settings().run(work)


def retention(
    path: Annotated[str, typer.Argument(help="cos://bucket or cos://bucket/key")],
    minimum: Annotated[int | None, typer.Option(help="Of a bucket: the least days.")] = None,
    default: Annotated[int | None, typer.Option(help="Of a bucket: the days where none are said.")] = None,
    maximum: Annotated[int | None, typer.Option(help="Of a bucket: the most days.")] = None,
    permanent: Annotated[bool | None, typer.Option("--permanent", help="Of a bucket: objects may be kept for ever.")] = None,
    extend: Annotated[str | None, typer.Option(help="Of an object: so much longer, 30d.")] = None,
    until: Annotated[str | None, typer.Option(help="Of an object: a later end, 2030-01-31.")] = None,
    as_json: Json = False,
) -> None:
    """Show the retention of a bucket or an object; with options, set a bucket's policy or extend an object's retention."""
    target = CosPath.parse(path)
    days = (minimum, default, maximum)
    if target.key and any(d is not None for d in days):
        raise typer.BadParameter(f"{path} is an object: --minimum, --default and --maximum are a bucket's")
    if not target.key and (extend or until):
        raise typer.BadParameter(f"{path} is a bucket: --extend and --until are an object's")

    async def work(client: Client) -> None:
        if target.key:
            if extend or until:
                await client.retention.extend(
                    target.bucket,
                    target.key,
                    additional_period=span_of(extend) if extend else None,
                    new_expires=moment_of(until) if until else None,
                )
            _show_state(await client.legal_holds.list(target.bucket, target.key), as_json)
            return
        if any(d is not None for d in days) or permanent:
            await client.protection.put(target.bucket, _policy(minimum, default, maximum, permanent))
        _show_policy(await client.protection.get(target.bucket), as_json)

    settings().run(work)


def _policy(minimum: int | None, default: int | None, maximum: int | None, permanent: bool | None) -> ProtectionConfiguration:
    if minimum is None or default is None or maximum is None:
        raise typer.BadParameter("a policy has --minimum, --default and --maximum")
    return ProtectionConfiguration.of_days(minimum=minimum, default=default, maximum=maximum, permanent=permanent)


def _show_policy(policy: ProtectionConfiguration, as_json: bool) -> None:
    if as_json:
        show_json(policy)
        return
    say(f"{'status':24}  {policy.status}")
    periods = {"minimum": policy.minimum_retention, "default": policy.default_retention, "maximum": policy.maximum_retention}
    for name, period in periods.items():
        if period is not None:
            say(f"{name:24}  {period.days} days")
    if policy.enable_permanent_retention:
        say(f"{'permanent':24}  allowed")


def _show_state(state: RetentionState, as_json: bool) -> None:
    if as_json:
        show_json(state)
        return
    period = {None: "none", -1: "indefinite", -2: "permanent"}.get(state.retention_period)
    say(f"{'created':24}  {moment(state.create_time)}")
    say(f"{'period':24}  {period or timedelta(seconds=state.retention_period or 0)}")
    if state.retention_expires is not None:
        say(f"{'ends':24}  {moment(state.retention_expires)}")
    say(f"{'legal holds':24}  {', '.join(printable(one.id) for one in state.legal_holds) or 'none'}")


def website(
    path: _Bucket,
    index: Annotated[str | None, typer.Option(help="Make it a site: the page of a folder, index.html.")] = None,
    error: Annotated[str | None, typer.Option(help="The key of the page for errors.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Make it no site any more.")] = False,
    as_json: Json = False,
) -> None:
    """Show a bucket's website configuration, set it, or remove it. Routing rules: `aiocos api put-bucket-website`."""
    target = CosPath.parse(path)
    if target.key.strip("/"):
        raise typer.BadParameter(f"{path} is no bucket")
    if error is not None and index is None:
        raise typer.BadParameter("a site has an --index")

    async def work(client: Client) -> None:
        if delete:
            await client.website.delete(target.bucket)
            return
        if index is not None:
            await client.website.put(target.bucket, WebsiteConfiguration.of(index, error))
        found = await client.website.get(target.bucket)
        if as_json:
            show_json(found)
            return
        if found.redirect_all_requests_to is not None:
            say(f"{'everything goes to':24}  {printable(found.redirect_all_requests_to.host_name)}")
        say(f"{'index':24}  {printable(found.index_document.suffix) if found.index_document else 'none'}")
        say(f"{'error page':24}  {printable(found.error_document.key) if found.error_document else 'none'}")
        say(f"{'routing rules':24}  {len(found.routing_rules or ())}")

    settings().run(work)


def presign(
    path: _Object,
    method: Annotated[str, typer.Option(help="GET, PUT, HEAD or DELETE.")] = "GET",
    expires: Annotated[str, typer.Option(help="How long the URL works: 90 (seconds), 15m, 12h, 7d at most.")] = "1h",
) -> None:
    """Print a URL with which anybody may do one thing for a while. Takes HMAC keys."""
    target = CosPath.parse(path).of_object()
    known: dict[str, Literal["GET", "PUT", "HEAD", "DELETE"]] = {"GET": "GET", "PUT": "PUT", "HEAD": "HEAD", "DELETE": "DELETE"}
    chosen = known.get(method.upper())
    if chosen is None:
        raise typer.BadParameter(f"{method!r} is no method: {', '.join(known)}")

    async def work(client: Client) -> None:
        say(client.objects.presign(target.bucket, target.key, method=chosen, expires=span_of(expires)))

    settings().run(work)
