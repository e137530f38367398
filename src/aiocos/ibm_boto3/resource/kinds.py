"""The words in which resources are stated: what a kind of resource is made of.

An identifier is a member of requests: a `BucketAcl` has a `bucket_name`, which is `Bucket` in whatever is asked about it. So
what a call needs, what a sub-resource takes over from its parent, and what an entry of a listing says of itself follow from
the identifiers alone.
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
"""Asks for the data of a resource, by its identifiers and what the caller gave besides."""


@dataclass(frozen=True, slots=True)
class Action:
    """A call of one of the client's methods."""

    method: str
    gives: str | None = None
    """The kind of resource that the answer is turned into; None gives the answer."""
    changes: bool = True
    """Whether the resource's own data is another afterwards."""
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Parameters that are the same in every call."""


@dataclass(frozen=True, slots=True)
class Many:
    """A collection: a listing whose entries are resources."""

    kind: str
    method: str
    entries: tuple[str, ...]
    """The members of a page that hold them."""
    said: Mapping[str, str] = field(default_factory=dict[str, str])
    """Identifiers that entries have under another name."""
    default: Mapping[str, str] = field(default_factory=dict[str, str])
    """Identifiers that an entry may leave out, and what they are then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of resource."""

    name: str
    doc: str
    identifiers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The names of the identifiers, in the order in which they are given, and the members of requests that they are."""
    document: type[Document] | None = None
    """What attributes are read from."""
    load: Load | None = None
    found: str = ""
    """Where data comes from, if it cannot be loaded."""
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])
    waiters: Mapping[str, str] = field(default_factory=dict[str, str])
    children: Mapping[str, str] = field(default_factory=dict[str, str])
    collections: Mapping[str, Many] = field(default_factory=dict[str, Many])
    deleted_by: tuple[str, ...] = ()
    """The identifiers that DeleteObjects takes of each; empty where a collection cannot be deleted at once."""
    absent: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names of ibm_boto3 that are not offered, and what there is instead."""

    def attributes(self) -> dict[str, str]:
        """The names of the attributes, with the members of data that they are."""
        if self.document is None:
            return {}
        fields = [one for one in self.document.model_fields if one != "request_id"]
        members = [names.of_field(self.document, one) for one in fields]
        return {snake: member for member in members if (snake := attribute(member)) not in self.identifiers}


def attribute(member: str) -> str:
    """`SSECustomerKeyMD5` → `sse_customer_key_md5`, `ETag` → `e_tag`: botocore's snake case."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", member)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def asked(method: str) -> Load:
    """Load by a call about the resource; its answer is the data, and what it wraps stands beside the rest."""
    wrapper = names.wrapper_of(OPERATIONS[method])

    async def load(client: S3Client, identifiers: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await getattr(client, method)(**{**identifiers, **given})
        inner: dict[str, Any] = answer.pop(wrapper, {}) if wrapper is not None else {}
        return {**answer, **inner}

    return load


def result_of(method: str) -> type[Document]:
    """The document that a method answers with."""
    return OPERATIONS[method].spec.result
