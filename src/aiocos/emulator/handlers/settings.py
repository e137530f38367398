"""A bucket's configurations: each is kept as the document that was sent, by the name of its sub-resource."""

from typing import TypeVar

from aiocos.emulator.context import Context
from aiocos.emulator.store import buckets
from aiocos.errors import NoSuchConfiguration
from aiocos.wire.document import Document
from aiocos.wire.spec import Result

D = TypeVar("D", bound=Document)


def none_of(code: str, message: str) -> NoSuchConfiguration:
    """The error of a bucket without a configuration of a kind."""
    return NoSuchConfiguration(message, status=404, code=code)


def configured(ctx: Context, name: str, document: type[D], missing: NoSuchConfiguration) -> D:
    """The configuration of the request's bucket; the error `missing` where it has none."""
    xml = ctx.bucket.settings.get(name)
    if xml is None:
        raise missing
    return document.from_xml(xml.encode())


async def configure(ctx: Context, name: str, document: Document | None) -> Result:
    """Replace a configuration that depends on no other; None removes it."""
    bucket, xml = ctx.bucket.id, None if document is None else document.to_xml().decode()
    await ctx.store.write(lambda t: buckets.set_setting(t, bucket, name, xml))
    return Result()
