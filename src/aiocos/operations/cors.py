"""Operation specs: cross-origin resource sharing (CORS) of a bucket.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-bucket-operations#compatibility-api-add-cors
"""

from typing import Annotated, ClassVar

from aiocos.operations.shared import ExpectedOwnerParams, MirrorParams
from aiocos.wire.document import Document, Element, Extensible
from aiocos.wire.spec import Body, Operation, Result, operation


class CorsRule(Extensible):
    """A CORS rule: origins, and the methods and headers that their scripts may use.

    The first rule that matches a request decides. Origins and request headers may hold one `*` each, for any text.
    """

    root: ClassVar[str] = "CORSRule"

    id: Annotated[str | None, Element("ID")] = None
    """Name of the rule, for your own use. None leaves it out."""
    allowed_headers: Annotated[list[str], Element("AllowedHeader")] = []
    """Request headers that a script may send (`Access-Control-Request-Headers` of a preflight request), such as `x-amz-*`.
    Empty allows none besides those that browsers always allow.
    """
    allowed_methods: Annotated[list[str], Element("AllowedMethod")]
    """Methods that a script may use: `GET`, `PUT`, `POST`, `DELETE`, `HEAD`. At least one."""
    allowed_origins: Annotated[list[str], Element("AllowedOrigin")]
    """Origins of the scripts, as `scheme://host[:port]`, such as `https://www.example.com`; `*` allows all. At least one."""
    expose_headers: Annotated[list[str], Element("ExposeHeader")] = []
    """Response headers that a script may read, such as `ETag`, without `*`. Empty exposes only those that browsers always do.
    """
    max_age_seconds: int | None = None
    """Seconds for which a browser may cache the response to a preflight request. None leaves it to the browser."""


class CorsRules(Document):
    """The CORS rules to write."""

    closed: ClassVar[bool] = True
    root: ClassVar[str] = "CORSConfiguration"

    rules: Annotated[list[CorsRule], Element("CORSRule")] = []
    """The rules, in the order in which they are tried."""


class CorsConfiguration(Extensible, Result):
    """The CORS rules of a bucket."""

    root: ClassVar[str] = "CORSConfiguration"

    rules: Annotated[list[CorsRule], Element("CORSRule")] = []
    """The rules, in the order in which they are tried."""


@operation("GET", "/{bucket}?cors")
class GetBucketCors(MirrorParams, ExpectedOwnerParams, Operation[CorsConfiguration]):
    """Read a bucket's CORS rules.

    Returns a `CorsConfiguration`. Raises `NoSuchConfiguration` if the bucket has no rules.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?cors")
class PutBucketCors(ExpectedOwnerParams, Operation[Result]):
    """Replace all CORS rules of a bucket.

    Raises `InvalidRequest` if a rule isn't valid.

    Example: `await cos.cors.put("b", [CorsRule(allowed_origins=["https://www.example.com"], allowed_methods=["GET"])])`
    """

    bucket: str
    """Name of the bucket."""
    rules: Annotated[list[CorsRule] | CorsConfiguration, Body(md5=True, of=CorsRules)]
    """The new rules: a list, or a changed result of `cors.get`, which keeps elements that this library has no field for."""


@operation("DELETE", "/{bucket}?cors", success_status=204)
class DeleteBucketCors(ExpectedOwnerParams, Operation[Result]):
    """Delete a bucket's CORS rules.

    Succeeds if the bucket has none.
    """

    bucket: str
    """Name of the bucket."""
