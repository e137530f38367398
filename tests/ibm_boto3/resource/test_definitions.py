"""Names of resources, compared with IBM's SDK."""

from __future__ import annotations

import inspect
from typing import Any

import ibm_boto3
import pytest
from ibm_botocore import xform_name

import aiocos
from aiocos import ibm_boto3 as ours
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.resource.definitions import MODELS, SERVICE

ARGUMENTS: dict[str, Any] = {
    "aws_access_key_id": "key",
    "aws_secret_access_key": "tests-secret-key",
    "endpoint_url": "http://127.0.0.1:1",
}


PARTS = {"MultipartUploadPart": ("b", "k", "u", 1)}


# What is here and not there, by resource. Answers of the service that IBM's model of HEAD leaves out are attributes too.
MORE = {
    "ServiceResource": {"close"},
    "Bucket": {"reload"},
    "ObjectSummary": {"reload"},
    "BucketProtection": {"ibm_protection_management_state"},
    "Object": {"archive_transition_time", "backup_restore_id", "backup_restore_time", "content_range", "tag_count"},
}


@pytest.fixture(scope="module")
def theirs() -> Any:
    return ibm_boto3.resource("s3", **ARGUMENTS)


@pytest.fixture
def cos() -> Any:
    return ours.resource("s3", **ARGUMENTS)


def _public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def _one(service: Any, name: str) -> Any:
    """A resource with as many identifiers as it takes."""
    identifiers = tuple(MODELS[name].identifiers)
    return getattr(service, name)(*PARTS.get(name, identifiers))


def test_resources_equal_those_of_the_sdk(theirs: Any, cos: Any) -> None:
    assert cos.get_available_subresources() == theirs.get_available_subresources() == sorted(MODELS)
    assert _public(cos) - MORE["ServiceResource"] == _public(theirs)
    assert [repr(cos), type(cos).__name__] == [repr(theirs), type(theirs).__name__]
    assert isinstance(cos, aiocos.ibm_boto3.ServiceResource)


@pytest.mark.parametrize("name", MODELS)
def test_members_of_a_resource_equal_those_of_the_sdk(theirs: Any, cos: Any, name: str) -> None:
    there, here = _one(theirs, name), _one(cos, name)
    assert [repr(here), type(here).__name__] == [repr(there), type(there).__name__]
    assert here.meta.identifiers == there.meta.identifiers
    assert _public(there) - _public(here) == set(MODELS[name].not_offered)
    # Settings keep the elements that they do not know.
    assert _public(here) - _public(there) - {"unknown_elements"} == MORE.get(name, set())

    model, kind = there.meta.resource_model, MODELS[name]
    assert {action.name for action in model.actions} == set(kind.actions)
    assert {waiter.name for waiter in model.waiters} == set(kind.waiters)
    assert {c.name: c.resource.type for c in model.collections} == {n: many.kind for n, many in kind.collections.items()}
    children = {child.name: child.resource.type for child in model.subresources}
    assert set(children) == set(kind.children) | set(kind.not_offered)
    assert {child: children[child] for child in kind.children} == kind.children
    shape = theirs.meta.client.meta.service_model.shape_for(model.shape)
    attributes = {attr: member for attr, (member, _) in model.get_attributes(shape).items()}
    assert {attr: member for attr, member in kind.attributes().items() if attr in attributes} == attributes
    assert here.get_available_subresources() == sorted(set(there.get_available_subresources()) - set(kind.not_offered))


@pytest.mark.parametrize("name", MODELS)
def test_actions_call_the_operations_of_the_sdk(theirs: Any, name: str) -> None:
    model, kind = _one(theirs, name).meta.resource_model, MODELS[name]
    for action in model.actions:
        mine = kind.actions[action.name]
        assert mine.method == xform_name(action.request.operation)
        assert mine.returns == (action.resource.type if action.resource else None)
        filled = {p.target: kind.identifiers[xform_name(p.name)] for p in action.request.params if p.source == "identifier"}
        assert filled == {member: member for member in kind.identifiers.values()}
        fixed = {p.target: p.value for p in action.request.params if p.source == "string"}
        assert {f"{outer}.{n}": v for outer, inner in mine.fixed.items() for n, v in inner.items()} == fixed
    for many in model.collections:
        assert kind.collections[many.name].method == xform_name(many.request.operation)
    for waiter in model.waiters:
        assert kind.waiters[waiter.name] == xform_name(waiter.waiter_name)


@pytest.mark.parametrize("name", MODELS)
def test_sub_resources_take_over_identifiers(theirs: Any, cos: Any, name: str) -> None:
    there, here = _one(theirs, name), _one(cos, name)
    for child, of in MODELS[name].children.items():
        inputs = len(set(MODELS[of].identifiers.values()) - set(MODELS[name].identifiers.values()))
        given = (7,) if of == "MultipartUploadPart" else ("x", "y", "z")[:inputs]
        assert repr(getattr(here, child)(*given)) == repr(getattr(there, child)(*given))


def test_batch_actions(theirs: Any, cos: Any) -> None:
    for name in MODELS:
        there, here = _one(theirs, name), _one(cos, name)
        for many in MODELS[name].collections:
            both = [getattr(there, many), getattr(here, many)], [getattr(there, many).all(), getattr(here, many).all()]
            for others, mine in both:
                missing = _public(others) - _public(mine)
                assert not missing, (name, many)
            assert hasattr(getattr(here, many), "delete") == hasattr(getattr(there, many), "delete")
            assert repr(getattr(here, many).all()) == repr(getattr(there, many).all())
    assert repr(cos.buckets.all()) == repr(theirs.buckets.all())
    assert not hasattr(cos.buckets, "delete")


def test_transfers_have_the_parameters(theirs: Any, cos: Any) -> None:
    for name in ("Bucket", "Object"):
        for method in ("upload_file", "upload_fileobj", "download_file", "download_fileobj", "copy"):
            there, here = (inspect.signature(getattr(_one(one, name), method)) for one in (theirs, cos))
            assert [(p.name, p.default) for p in here.parameters.values()] == [
                (p.name, p.default) for p in there.parameters.values()
            ]


def test_every_method_is_an_operation_and_described(cos: Any) -> None:
    for kind in (*MODELS.values(), SERVICE):
        made = cos if kind is SERVICE else _one(cos, kind.name)
        assert type(made).__doc__
        for name, action in kind.actions.items():
            assert action.method in OPERATIONS
            assert action.method in getattr(made, name).__doc__
        for name in _public(type(made)) - set(kind.not_offered) - {"meta"}:
            assert getattr(type(made), name).__doc__, (kind.name, name)


@pytest.mark.parametrize("name", ["Logging", "Notification", "Policy"])
def test_names_that_are_not_offered_name_the_alternative(cos: Any, name: str) -> None:
    with pytest.raises(AttributeError, match=f"s3.Bucket has no {name} here: .+"):
        getattr(cos.Bucket("b"), name)
    assert name not in dir(cos.Bucket("b"))
