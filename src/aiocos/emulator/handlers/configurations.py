"""Storage of bucket configurations, for the handlers of each kind.

Each is stored as the document that was sent, by the name of its sub-resource.
"""

from typing import TypeVar

from aiocos.emulator.context import Context
from aiocos.emulator.store import buckets
from aiocos.errors import NoSuchConfiguration
from aiocos.wire.document import Document
from aiocos.wire.spec import Result

D = TypeVar("D", bound=Document)


def no_configuration(code: str, message: str) -> NoSuchConfiguration:
    """Build the error for a bucket without a configuration."""
    return NoSuchConfiguration(message, status=404, code=code)


def read_configuration(ctx: Context, name: str, document: type[D], missing: NoSuchConfiguration) -> D:
    """Return a configuration of the request's bucket. Raises `missing` without one."""
    xml = ctx.bucket.settings.get(name)
    if xml is None:
        raise missing
    return document.from_xml(xml.encode())


async def replace_configuration(ctx: Context, name: str, document: Document | None) -> Result:
    """Replace a configuration that does not depend on others; None removes it."""
    bucket, xml = ctx.bucket.id, None if document is None else document.to_xml().decode()
    await ctx.store.write(lambda t: buckets.set_setting(t, bucket, name, xml))
    return Result()
