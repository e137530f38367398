"""Cross-origin requests: what scripts of other sites may do with a bucket.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-cors
"""

from typing import Annotated, ClassVar

from aiocos.operations.shared import ExpectedOwnerParams, MirrorParams
from aiocos.wire.document import Document, Element, Extensible
from aiocos.wire.spec import Body, Operation, Result, operation


class CorsRule(Extensible):
    """Who may do what: origins, methods and headers may hold one `*` each."""

    root: ClassVar[str] = "CORSRule"

    id: Annotated[str | None, Element("ID")] = None
    allowed_headers: Annotated[list[str], Element("AllowedHeader")] = []
    allowed_methods: Annotated[list[str], Element("AllowedMethod")]
    """GET, PUT, POST, DELETE, HEAD."""
    allowed_origins: Annotated[list[str], Element("AllowedOrigin")]
    expose_headers: Annotated[list[str], Element("ExposeHeader")] = []
    max_age_seconds: int | None = None


class CorsRules(Document):
    """The rules of a bucket."""

    closed: ClassVar[bool] = True
    root: ClassVar[str] = "CORSConfiguration"

    rules: Annotated[list[CorsRule], Element("CORSRule")] = []


class CorsConfiguration(Extensible, Result):
    """The rules of a bucket as the service tells them."""

    root: ClassVar[str] = "CORSConfiguration"

    rules: Annotated[list[CorsRule], Element("CORSRule")] = []


@operation("GET", "/{bucket}?cors")
class GetBucketCors(MirrorParams, ExpectedOwnerParams, Operation[CorsConfiguration]):
    """Read a bucket's rules for cross-origin requests. Raises `NoSuchConfiguration`."""

    bucket: str


@operation("PUT", "/{bucket}?cors")
class PutBucketCors(ExpectedOwnerParams, Operation[Result]):
    """Replace a bucket's rules for cross-origin requests. Raises `InvalidRequest`.

    Takes a list of rules, or what `cors.get` returned: elements that this library does not know are written back.
    """

    bucket: str
    rules: Annotated[list[CorsRule] | CorsConfiguration, Body(md5=True, of=CorsRules)]


@operation("DELETE", "/{bucket}?cors", success_status=204)
class DeleteBucketCors(ExpectedOwnerParams, Operation[Result]):
    """Remove a bucket's rules for cross-origin requests."""

    bucket: str
