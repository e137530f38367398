"""Every name of the client, held against the service model of IBM's SDK: operations, members in and out, however deep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibm_boto3
import pytest
from ibm_botocore import UNSIGNED
from ibm_botocore.config import Config
from tests.parity.ibm import model_in

from aiocos.ibm_boto3 import inputs, names, readers
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.paginate import PAGED
from aiocos.ibm_boto3.responses import _members
from aiocos.wire.document import Document, unwrap
from aiocos.wire.spec import Body, Operation

# What the SDK does not take and we do, of parameters of ours that its model lacks.
OURS_ALONE = {
    "AsperaKeyMaxTries": "documented for DeleteBucket, absent from the model",
    "IfMatch": "conditional writes are documented, absent from the model",
    "IfNoneMatch": "conditional writes are documented, absent from the model",
    "IfUnmodifiedSince": "conditional writes are documented, absent from the model",
    "ForbidOverwrite": "documented for the on-premises product, absent from the model",
    "ContentMD5": "operations with a document take a checksum of it, which is computed here anyway",
    "ChecksumAlgorithm": "the same",
    "SSECustomerAlgorithm": "ListParts of an upload with a customer's key; Amazon's model has it",
    "SSECustomerKey": "the same",
    "SSECustomerKeyMD5": "the same",
    "WebsiteRedirectLocation": "the model forgets to say that it is a header of CopyObject",
}
# What the service says of objects and the SDK does not know.
TOLD_BESIDES = {
    "ArchiveTransitionTime": "when an object goes to the archive",
    "BackupRestoreId": "of objects that a backup brought back",
    "BackupRestoreTime": "the same",
}
# Operations of the model that the service does not have: Amazon's analytics, inventories, metrics, policies, torrents.
_AMAZONS = ("Analytics", "Inventory", "Metrics")
NOT_SERVED = {
    *(f"{verb}Bucket{what}Configuration" for verb in ("Get", "Put", "Delete") for what in _AMAZONS),
    *(f"ListBucket{what}Configurations" for what in _AMAZONS),
    "GetBucketAccelerateConfiguration",
    "PutBucketAccelerateConfiguration",
    "DeleteBucketPolicy",
    "GetObjectTorrent",
}


@pytest.fixture(scope="module")
def sdk() -> Iterator[Any]:
    made = ibm_boto3.client("s3", endpoint_url="http://cos.example", config=Config(signature_version=UNSIGNED))
    yield made
    made.close()


def _model(sdk: Any, cls: type[Operation[Any]]) -> Any:
    return sdk.meta.service_model.operation_model(cls.__name__)


# What a setting is read and written with beyond IBM's model, so that whoever changes it loses nothing.
BEYOND = {"UnknownElements", "NoncurrentVersionTransitions"}


def test_every_method_exists_in_the_sdk(sdk: Any) -> None:
    theirs = dict(sdk.meta.method_to_api_mapping)
    assert {method: cls.__name__ for method, cls in OPERATIONS.items()}.items() <= theirs.items()
    assert set(theirs.values()) - {cls.__name__ for cls in OPERATIONS.values()} == NOT_SERVED


def _demanded_otherwise(shape: Any, members: dict[str, inputs.Member], where: str) -> Iterator[str]:
    for name, member in members.items():
        inner = shape.members.get(name)
        if inner is None:
            continue
        if member.required != (name in shape.required_members):
            yield f"{where}.{name}"
        read: Any = member.read
        while inner.type_name == "list":
            inner, read = inner.member, getattr(read, "_read", read)
        if inner.type_name == "structure" and hasattr(read, "members"):
            yield from _demanded_otherwise(inner, read.members, f"{where}.{name}")


def test_required_members_equal_those_of_the_sdk(sdk: Any) -> None:
    # Of a document that lacks one, an empty one would be made: `Tagging={}` took all tags away.
    otherwise = [
        one
        for cls in OPERATIONS.values()
        if (shape := sdk.meta.service_model.operation_model(cls.__name__).input_shape) is not None
        for one in _demanded_otherwise(shape, inputs.input_members(cls.spec), cls.__name__)
    ]
    assert otherwise == []


@pytest.mark.parametrize("cls", OPERATIONS.values(), ids=lambda cls: cls.__name__)
def test_input_members_equal_those_of_the_sdk(cls: type[Operation[Any]], sdk: Any) -> None:
    shape = _model(sdk, cls).input_shape
    theirs = dict(shape.members) if shape else {}
    ours = inputs.input_names(cls.spec)
    assert len(ours) == len(set(ours))
    missing = set(theirs) - set(ours)
    assert missing <= ({"ContentMD5"} if cls.__name__ == "GetObjectLegalHold" else set())
    assert set(ours) - set(theirs) <= set(OURS_ALONE)
    required = {name for name, member in inputs.input_members(cls.spec).items() if member.required}
    assert set(shape.required_members if shape else ()) - {"Delete"} <= required
    for p in cls.spec.parameters:
        if isinstance(p.location, Body):
            document: type[Document] = p.location.of or unwrap(p.type)
            _documents_in(theirs[names.of_parameter(p)], document, names.of_parameter(p))


def _documents_in(shape: Any, cls: type[Document], where: str) -> None:
    ours = readers._StructureReader(cls).members
    assert set(ours) - BEYOND == set(shape.members), where
    for name, member in ours.items():
        if name in BEYOND:
            continue
        kind = _inner(shape.members[name])
        if kind.type_name == "structure":
            _documents_in(kind, model_in(cls.model_fields[member.field].annotation), f"{where}.{name}")


def _inner(shape: Any) -> Any:
    return shape.member if shape.type_name == "list" else shape


@pytest.mark.parametrize("cls", OPERATIONS.values(), ids=lambda cls: cls.__name__)
def test_response_members_equal_those_of_the_sdk(cls: type[Operation[Any]], sdk: Any) -> None:
    shape = _model(sdk, cls).output_shape
    result = cls.spec.result
    theirs = dict(shape.members) if shape else {}
    wrapper = names.wrapper_of(cls)
    headers = {name for _, name, in_header in _members(result) if in_header}
    told = {name for _, name, _ in _members(result)} - names.omitted_members(cls.__name__)
    assert names.omitted_members(cls.__name__).isdisjoint(theirs)
    if wrapper is None:
        assert told - set(theirs) <= set(TOLD_BESIDES) | BEYOND
        _documents_out(shape, result, cls.__name__)
    else:
        assert set(theirs) == headers | {wrapper}
        _documents_out(theirs[wrapper], result, f"{cls.__name__}.{wrapper}")


def _documents_out(shape: Any, cls: type[Document], where: str) -> None:
    ours = {name: field for field, name, _ in _members(cls)}
    assert shape is None or set(shape.members) - {"Body"} <= set(ours), where
    if "." in where:
        assert set(ours) - BEYOND == set(shape.members) | {name for _, name, in_header in _members(cls) if in_header}
    for name, inner in (shape.members if shape else {}).items():
        kind = _inner(inner)
        if kind.type_name == "structure":
            _documents_out(kind, model_in(cls.model_fields[ours[name]].annotation), f"{where}.{name}")


def test_paginators_equal_those_of_the_sdk(sdk: Any) -> None:
    theirs = {name for name in sdk.meta.method_to_api_mapping if sdk.can_paginate(name)}
    assert {names.snake(name) for name in PAGED} == theirs
    for name, pages in PAGED.items():
        paginator = sdk.get_paginator(names.snake(name))
        assert [paginator._limit_key, *paginator._input_token] == [pages.limit, *pages.inputs]
        assert [key.expression for key in paginator._result_keys] == list(pages.entries)


def test_waiters_equal_those_of_the_sdk(sdk: Any) -> None:
    from aiocos.ibm_boto3.waiters import WAITERS

    assert sorted(WAITERS) == sdk.waiter_names
    for name, rule in WAITERS.items():
        config = sdk.get_waiter(name).config
        success = {a.expected for a in config.acceptors if a.state == "success"}
        assert (config.operation, config.delay, config.max_attempts) == (rule.operation, 5, 20)
        assert rule.success == success
