"""Website configurations of buckets. `emulator.website` serves what they say."""

import re

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.settings import configure, configured, none_of
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
    """Read the configuration."""
    missing = none_of("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration.")
    return configured(ctx, "website", WebsiteConfiguration, missing)


@handles(PutBucketWebsite)
async def put(ctx: Context, op: PutBucketWebsite) -> Result:
    """Replace the configuration."""
    given = op.configuration
    if given.redirect_all_requests_to is not None:
        if given.index_document is not None or given.error_document is not None or given.routing_rules is not None:
            raise failure("MalformedXML", "RedirectAllRequestsTo excludes every other element.")
        if not given.redirect_all_requests_to.host_name:
            raise failure("InvalidArgument", "RedirectAllRequestsTo has no host name.")
    elif given.index_document is None:
        raise failure("MalformedXML", "A website has an IndexDocument, or RedirectAllRequestsTo.")
    elif not given.index_document.suffix or "/" in given.index_document.suffix:
        raise failure("InvalidArgument", "The suffix of the index document is not empty and has no slash.")
    if given.error_document is not None and not given.error_document.key:
        raise failure("InvalidArgument", "The key of the error document is empty.")
    for rule in given.routing_rules or ():
        _check(rule)
    return await configure(ctx, "website", given)


def _check(rule: RoutingRule) -> None:
    to, when = rule.redirect, rule.condition
    if to.replace_key_with is not None and to.replace_key_prefix_with is not None:
        raise failure("InvalidArgument", "A redirect replaces the key or its prefix, not both.")
    if all(
        v is None for v in (to.host_name, to.protocol, to.http_redirect_code, to.replace_key_with, to.replace_key_prefix_with)
    ):
        raise failure("InvalidArgument", "A redirect says where to.")
    code = to.http_redirect_code
    if code is not None and (not _STATUS.fullmatch(code) or not 301 <= int(code) <= 308 or code in ("304", "305", "306")):
        raise failure("InvalidArgument", f"{code} is no status of a redirect.")
    if when is None:
        return
    if when.key_prefix_equals is None and when.http_error_code_returned_equals is None:
        raise failure("InvalidArgument", "A condition has a prefix of keys or a status.")
    status = when.http_error_code_returned_equals
    if status is not None and (not _STATUS.fullmatch(status) or not 400 <= int(status) <= 599):
        raise failure("InvalidArgument", f"{status} is no status of an error.")


@handles(DeleteBucketWebsite)
async def delete(ctx: Context, op: DeleteBucketWebsite) -> Result:
    """Remove the configuration."""
    return await configure(ctx, "website", None)
