"""Rules for cross-origin requests: kept here, followed by `emulator.crossing`."""

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.settings import configure, configured, none_of
from aiocos.operations.cors import CorsConfiguration, CorsRules, DeleteBucketCors, GetBucketCors, PutBucketCors
from aiocos.wire.spec import Result

METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
MAX_RULES = 100


@handles(GetBucketCors)
async def get(ctx: Context, op: GetBucketCors) -> CorsConfiguration:
    """Read the rules."""
    missing = none_of("NoSuchCORSConfiguration", "The CORS configuration does not exist")
    return configured(ctx, "cors", CorsConfiguration, missing)


@handles(PutBucketCors, integrity=True)
async def put(ctx: Context, op: PutBucketCors) -> Result:
    """Replace the rules."""
    assert isinstance(op.rules, list)  # as every request is read
    if not 1 <= len(op.rules) <= MAX_RULES:
        raise failure("MalformedXML", f"There are 1 to {MAX_RULES} rules, not {len(op.rules)}.")
    for rule in op.rules:
        if not rule.allowed_methods or not rule.allowed_origins:
            raise failure("MalformedXML", "A rule has methods and origins.")
        if unknown := set(rule.allowed_methods) - METHODS:
            raise failure("InvalidRequest", f"Found unsupported HTTP method in CORS config: {', '.join(sorted(unknown))}")
        if any(text.count("*") > 1 for text in (*rule.allowed_origins, *rule.allowed_headers)):
            raise failure("InvalidRequest", "An origin or header has one wildcard at most.")
        if any("*" in text for text in rule.expose_headers):
            raise failure("InvalidRequest", "A header to expose has no wildcard.")
    return await configure(ctx, "cors", CorsRules(rules=op.rules))


@handles(DeleteBucketCors)
async def delete(ctx: Context, op: DeleteBucketCors) -> Result:
    """Remove the rules."""
    return await configure(ctx, "cors", None)
