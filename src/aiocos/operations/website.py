"""Operation specs: buckets as static websites.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-static-website-options
"""

from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams
from aiocos.wire.document import Element, Extensible
from aiocos.wire.spec import Body, Operation, Result, operation


class IndexDocument(Extensible):
    """The page of a folder."""

    suffix: str
    """Name that is added to a path that is empty or ends with a slash: with `index.html`, `/docs/` shows `docs/index.html`. Not
    empty, and without a slash.
    """


class ErrorDocument(Extensible):
    """The page that is shown for an error, such as a missing object."""

    key: str
    """Key of the object to show, with the status of the error."""


class RedirectAll(Extensible):
    """A redirect of all requests to another host."""

    root: ClassVar[str] = "RedirectAllRequestsTo"

    host_name: str
    """Host to redirect to, such as `www.example.com`."""
    protocol: Literal["http", "https"] | None = None
    """Protocol to redirect to. None keeps the protocol of the request."""


class RoutingCondition(Extensible):
    """The condition of a routing rule.

    At least one field must be set; if both are, both must match.
    """

    root: ClassVar[str] = "Condition"

    http_error_code_returned_equals: str | None = None
    """HTTP status of an error, as text, such as `"404"`. None applies the rule before the object is looked up."""
    key_prefix_equals: str | None = None
    """Prefix of the requested key. None matches every key."""


class Redirect(Extensible):
    """The target of a routing rule.

    At least one field must be set.
    """

    host_name: str | None = None
    """Host to redirect to. None keeps the host of the request."""
    http_redirect_code: str | None = None
    """HTTP status of the redirect, as text, such as `"302"`. None sends 301; IBM documents no default."""
    protocol: Literal["http", "https"] | None = None
    """Protocol to redirect to. None keeps the protocol of the request."""
    replace_key_prefix_with: str | None = None
    """Text that replaces the prefix of the condition in the key. Not together with `replace_key_with`. None keeps the prefix.
    """
    replace_key_with: str | None = None
    """Key to redirect to. Not together with `replace_key_prefix_with`. None keeps the key."""


class RoutingRule(Extensible):
    """A redirect of some requests. The first rule whose condition matches is applied."""

    condition: RoutingCondition | None = None
    """Requests that the rule is for. None matches all of them."""
    redirect: Redirect
    """Target of the redirect."""


class WebsiteConfiguration(Extensible, Result):
    """The website configuration of a bucket.

    Either a page for folders, with an optional error page and routing rules, or one redirect for all requests.
    """

    root: ClassVar[str] = "WebsiteConfiguration"

    redirect_all_requests_to: RedirectAll | None = None
    """Redirect of all requests. It excludes the other fields. None serves the bucket's objects."""
    index_document: IndexDocument | None = None
    """Page of a folder. Required unless all requests are redirected."""
    error_document: ErrorDocument | None = None
    """Page for errors. None shows a page of the service."""
    routing_rules: Annotated[list[RoutingRule] | None, Element("RoutingRules/RoutingRule")] = None
    """Redirects of some requests, in the order in which they are tried. None has no such redirects."""

    @classmethod
    def of(cls, index: str, error: str | None = None, rules: list[RoutingRule] | None = None) -> "WebsiteConfiguration":
        """Return the configuration of a site that serves the bucket's objects.

        Args:
            index: Name of the page of a folder, such as `index.html`.
            error: Key of the page for errors. None shows a page of the service.
            rules: Redirects of some requests. None has no such redirects.
        """
        return WebsiteConfiguration(
            index_document=IndexDocument(suffix=index),
            error_document=None if error is None else ErrorDocument(key=error),
            routing_rules=rules,
        )


@operation("GET", "/{bucket}?website")
class GetBucketWebsite(ExpectedOwnerParams, Operation[WebsiteConfiguration]):
    """Read a bucket's website configuration.

    Returns a `WebsiteConfiguration`. Raises `NoSuchConfiguration` if the bucket has none.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?website")
class PutBucketWebsite(ExpectedOwnerParams, Operation[Result]):
    """Make a bucket a website, or replace its configuration.

    The site is at `http://{bucket}.s3-web.{location}.cloud-object-storage.appdomain.cloud/` and shows only objects that are
    public.

    Raises `InvalidRequest` if the configuration isn't valid.

    Example: `await cos.website.put("b", WebsiteConfiguration.of("index.html", "error.html"))`
    """

    bucket: str
    """Name of the bucket."""
    configuration: Annotated[WebsiteConfiguration, Body(md5=True)]
    """The new configuration; `WebsiteConfiguration.of` builds a usual one."""


@operation("DELETE", "/{bucket}?website", success_status=204)
class DeleteBucketWebsite(ExpectedOwnerParams, Operation[Result]):
    """Delete a bucket's website configuration; its objects stay.

    Succeeds if the bucket has none.
    """

    bucket: str
    """Name of the bucket."""
