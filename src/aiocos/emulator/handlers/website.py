"""Handlers of website configurations of buckets."""

import re

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration, replace_configuration
from aiocos.operations.website import (
    DeleteBucketWebsite,
    GetBucketWebsite,
    PutBucketWebsite,
    RoutingRule,
    WebsiteConfiguration,
)
from aiocos.wire.spec import Result

_STATUS = re.compile("[0-9]{3}")


@handles(GetBucketWebsite)
async def get(ctx: Context, op: GetBucketWebsite) -> WebsiteConfiguration:
    """Return the configuration."""
    missing = no_configuration("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration.")
    return read_configuration(ctx, "website", WebsiteConfiguration, missing)


@handles(PutBucketWebsite)
async def put(ctx: Context, op: PutBucketWebsite) -> Result:
    """Replace the configuration."""
    configuration = op.configuration
    if configuration.redirect_all_requests_to is not None:
        if (
            configuration.index_document is not None
            or configuration.error_document is not None
            or configuration.routing_rules is not None
        ):
            raise failure("MalformedXML", "RedirectAllRequestsTo excludes every other element.")
        if not configuration.redirect_all_requests_to.host_name:
            raise failure("InvalidArgument", "RedirectAllRequestsTo needs a host name.")
    elif configuration.index_document is None:
        raise failure("MalformedXML", "A website configuration needs an IndexDocument or RedirectAllRequestsTo.")
    elif not configuration.index_document.suffix or "/" in configuration.index_document.suffix:
        raise failure("InvalidArgument", "The suffix of the index document must not be empty or contain a slash.")
    if configuration.error_document is not None and not configuration.error_document.key:
        raise failure("InvalidArgument", "The key of the error document must not be empty.")
    for rule in configuration.routing_rules or ():
        _check(rule)
    return await replace_configuration(ctx, "website", configuration)


def _check(rule: RoutingRule) -> None:
    redirect, condition = rule.redirect, rule.condition
    if redirect.replace_key_with is not None and redirect.replace_key_prefix_with is not None:
        raise failure("InvalidArgument", "A redirect can replace the key or its prefix, not both.")
    if all(
        v is None
        for v in (
            redirect.host_name,
            redirect.protocol,
            redirect.http_redirect_code,
            redirect.replace_key_with,
            redirect.replace_key_prefix_with,
        )
    ):
        raise failure("InvalidArgument", "A redirect needs a host, a protocol, a status or a replacement of the key.")
    code = redirect.http_redirect_code
    if code is not None and (not _STATUS.fullmatch(code) or not 301 <= int(code) <= 308 or code in ("304", "305", "306")):
        raise failure("InvalidArgument", f"{code} is not a redirect status.")
    if condition is None:
        return
    if condition.key_prefix_equals is None and condition.http_error_code_returned_equals is None:
        raise failure("InvalidArgument", "A condition needs a key prefix or an error status.")
    status = condition.http_error_code_returned_equals
    if status is not None and (not _STATUS.fullmatch(status) or not 400 <= int(status) <= 599):
        raise failure("InvalidArgument", f"{status} is not an error status.")


@handles(DeleteBucketWebsite)
async def delete(ctx: Context, op: DeleteBucketWebsite) -> Result:
    """Remove the configuration."""
    return await replace_configuration(ctx, "website", None)
