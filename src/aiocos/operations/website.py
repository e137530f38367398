"""Buckets as static websites.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-static-website-options
"""

from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams
from aiocos.wire.document import Element, Extensible
from aiocos.wire.spec import Body, Operation, Result, operation


class IndexDocument(Extensible):
    """What is served for a folder: `index.html` for `/` and for `docs/`."""

    suffix: str


class ErrorDocument(Extensible):
    """The key of the page that is served where something is wrong."""

    key: str


class RedirectAll(Extensible):
    """Every request goes to another host."""

    root: ClassVar[str] = "RedirectAllRequestsTo"

    host_name: str
    protocol: Literal["http", "https"] | None = None


class RoutingCondition(Extensible):
    """When a routing rule applies: for keys with a prefix, for an error status, or for both at once."""

    root: ClassVar[str] = "Condition"

    http_error_code_returned_equals: str | None = None
    key_prefix_equals: str | None = None


class Redirect(Extensible):
    """Where a routing rule points. `replace_key_with` is a whole key, `replace_key_prefix_with` takes the condition's place."""

    host_name: str | None = None
    http_redirect_code: str | None = None
    """A status from 301 on; by default 301."""
    protocol: Literal["http", "https"] | None = None
    replace_key_prefix_with: str | None = None
    replace_key_with: str | None = None


class RoutingRule(Extensible):
    """A redirect, and when it applies (always, without a condition). The first rule that applies counts."""

    condition: RoutingCondition | None = None
    redirect: Redirect


class WebsiteConfiguration(Extensible, Result):
    """A bucket's website: index, error page and routing rules; or one redirect for everything, which excludes the rest."""

    root: ClassVar[str] = "WebsiteConfiguration"

    redirect_all_requests_to: RedirectAll | None = None
    index_document: IndexDocument | None = None
    error_document: ErrorDocument | None = None
    routing_rules: Annotated[list[RoutingRule] | None, Element("RoutingRules/RoutingRule")] = None

    @classmethod
    def of(cls, index: str, error: str | None = None, rules: list[RoutingRule] | None = None) -> "WebsiteConfiguration":
        """Return the configuration of a site with an index suffix, the key of an error page, and routing rules."""
        return WebsiteConfiguration(
            index_document=IndexDocument(suffix=index),
            error_document=None if error is None else ErrorDocument(key=error),
            routing_rules=rules,
        )


@operation("GET", "/{bucket}?website")
class GetBucketWebsite(ExpectedOwnerParams, Operation[WebsiteConfiguration]):
    """Read a bucket's website configuration. Raises `NoSuchConfiguration`."""

    bucket: str


@operation("PUT", "/{bucket}?website")
class PutBucketWebsite(ExpectedOwnerParams, Operation[Result]):
    """Make a bucket a website. Its objects must be public to be seen there. Raises `InvalidRequest`."""

    bucket: str
    configuration: Annotated[WebsiteConfiguration, Body(md5=True)]


@operation("DELETE", "/{bucket}?website", success_status=204)
class DeleteBucketWebsite(ExpectedOwnerParams, Operation[Result]):
    """Make a bucket no website any more."""

    bucket: str
