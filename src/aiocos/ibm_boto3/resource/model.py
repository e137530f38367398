"""Models of resources: identifiers, attributes, actions and collections.

An identifier of a resource is a parameter of requests: the `bucket_name` of a `BucketAcl` is `Bucket` in all of its calls. The
identifiers therefore determine the parameters of a call, what a sub-resource takes over from its parent, and which resource an
entry of a listing is.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.client import OPERATIONS, S3Client
from aiocos.wire.document import Document

Load: TypeAlias = Callable[[S3Client, dict[str, Any], dict[str, Any]], Awaitable[dict[str, Any]]]
"""Loads the data of a resource: takes the client, the identifiers as parameters, and further parameters of the caller."""


@dataclass(frozen=True, slots=True)
class ActionModel:
    """A method of a resource that calls a method of the client."""

    method: str
    """Name of the client's method."""
    returns: str | None = None
    """Kind of the resource to return; None returns the response."""
    invalidates: bool = True
    """True if the action changes the resource, so that its loaded data is dropped."""
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Parameters that have the same value in every call."""


@dataclass(frozen=True, slots=True)
class CollectionModel:
    """A collection of resources: the entries of a listing."""

    kind: str
    """Kind of the resources."""
    method: str
    """Name of the client's method that lists them."""
    entries: tuple[str, ...]
    """Members of a page that hold the entries."""
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names that identifiers have in an entry, if they differ from those in requests."""
    default: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of identifiers that an entry leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceModel:
    """A kind of resource."""

    name: str
    """Name of the class."""
    doc: str
    """Docstring of the class."""
    identifiers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Identifiers, in the order of the constructor's parameters, with their names in requests."""
    document: type[Document] | None = None
    """Document whose fields are the attributes; None for a resource without attributes."""
    load: Load | None = None
    """Loads the data; None for a resource that cannot be loaded."""
    data_source: str = ""
    """Expression whose items have data, for resources that cannot be loaded."""
    actions: Mapping[str, ActionModel] = field(default_factory=dict[str, ActionModel])
    """Actions by the names of their methods."""
    waiters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Waiters of the client by the names of the methods that wait."""
    children: Mapping[str, str] = field(default_factory=dict[str, str])
    """Kinds of sub-resources by the names of the methods that return them."""
    collections: Mapping[str, CollectionModel] = field(default_factory=dict[str, CollectionModel])
    """Collections by the names of their attributes."""
    delete_members: tuple[str, ...] = ()
    """Members that DeleteObjects needs of each resource; empty if a collection of them cannot be deleted."""
    not_offered: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names of IBM's SDK that are not offered, with the alternative."""

    def attributes(self) -> dict[str, str]:
        """Return the names of the attributes, with the response members that hold them."""
        if self.document is None:
            return {}
        fields = [one for one in self.document.model_fields if one != "request_id"]
        members = [names.of_field(self.document, one) for one in fields]
        return {snake: member for member in members if (snake := attribute_name(member)) not in self.identifiers}


def attribute_name(member: str) -> str:
    """Return the attribute for a response member, in snake case: `ETag` → `e_tag`.

    The spelling is botocore's.
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", member)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def load_by(method: str) -> Load:
    """Return a loader that calls a method of the client.

    If the response wraps a document in a member, the members of the document are merged into the response.
    """
    wrapper = names.wrapper_of(OPERATIONS[method])

    async def load(client: S3Client, identifiers: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = await getattr(client, method)(**{**identifiers, **given})
        inner: dict[str, Any] = response.pop(wrapper, {}) if wrapper is not None else {}
        return {**response, **inner}

    return load


def result_document(method: str) -> type[Document]:
    """Return the document that a method of the client returns."""
    return OPERATIONS[method].spec.result
