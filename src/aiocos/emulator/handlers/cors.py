"""Handlers of CORS rules of buckets. `emulator.cors` applies the rules."""

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration, replace_configuration
from aiocos.operations.cors import CorsConfiguration, CorsRules, DeleteBucketCors, GetBucketCors, PutBucketCors
from aiocos.wire.spec import Result

METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
MAX_RULES = 100


@handles(GetBucketCors)
async def get(ctx: Context, op: GetBucketCors) -> CorsConfiguration:
    """Return the rules."""
    missing = no_configuration("NoSuchCORSConfiguration", "The CORS configuration does not exist")
    return read_configuration(ctx, "cors", CorsConfiguration, missing)


@handles(PutBucketCors, integrity=True)
async def put(ctx: Context, op: PutBucketCors) -> Result:
    """Replace the rules."""
    assert isinstance(op.rules, list)  # always, in a parsed request
    if not 1 <= len(op.rules) <= MAX_RULES:
        raise failure("MalformedXML", f"A CORS configuration needs 1 to {MAX_RULES} rules, not {len(op.rules)}.")
    for rule in op.rules:
        if not rule.allowed_methods or not rule.allowed_origins:
            raise failure("MalformedXML", "A CORS rule needs methods and origins.")
        if unknown := set(rule.allowed_methods) - METHODS:
            raise failure("InvalidRequest", f"Found unsupported HTTP method in CORS config: {', '.join(sorted(unknown))}")
        if any(text.count("*") > 1 for text in (*rule.allowed_origins, *rule.allowed_headers)):
            raise failure("InvalidRequest", "An origin or header can have at most one wildcard.")
        if any("*" in text for text in rule.expose_headers):
            raise failure("InvalidRequest", "An exposed header cannot have a wildcard.")
    return await replace_configuration(ctx, "cors", CorsRules(rules=op.rules))


@handles(DeleteBucketCors)
async def delete(ctx: Context, op: DeleteBucketCors) -> Result:
    """Remove the rules."""
    return await replace_configuration(ctx, "cors", None)
