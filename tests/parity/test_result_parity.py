"""Every member that the SDK's service model reads from a response has a field in our results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from aiocos.operations import every_operation
from aiocos.wire.document import Document, plan_of, unwrap
from aiocos.wire.spec import Header, HeaderMap, Operation

from .ibm import RecordingSdk, model_in

OPERATIONS = list(every_operation().values())

# Members of responses that our results do not have.
NOT_IN_RESULTS: dict[str, str] = {
    "GetObject.Body": "the bytes are a stream beside the result",
}


@pytest.fixture(scope="module")
def sdk() -> Iterator[RecordingSdk]:
    recording = RecordingSdk("http://cos.example")
    yield recording
    recording.close()


def _headers(cls: type[Document]) -> dict[str, str]:
    markers = {name: marker for name, info in cls.model_fields.items() for marker in info.metadata}
    return {
        (marker.name if isinstance(marker, Header) else marker.prefix).lower(): name
        for name, marker in markers.items()
        if isinstance(marker, Header | HeaderMap)
    }


def _compare(shape: Any, cls: type[Document], where: str, missing: list[str]) -> None:
    plan = plan_of(cls)
    headers = _headers(cls)
    payload = shape.serialization.get("payload")
    for member, inner in shape.members.items():
        name = inner.serialization.get("name") or member
        location = inner.serialization.get("location")
        if location in ("header", "headers"):
            if name.lower() not in headers:
                missing.append(f"{where}.{member}")
        elif location == "statusCode":
            continue
        elif member == payload and inner.type_name == "structure":
            _compare(inner, cls, where, missing)
        else:
            _element(inner, member, cls, plan, where, missing)


def _element(inner: Any, member: str, cls: type[Document], plan: Any, where: str, missing: list[str]) -> None:
    name = inner.serialization.get("name") or member
    kind = inner
    if inner.type_name == "list":
        kind = inner.member
        if inner.serialization.get("flattened"):
            name = kind.serialization.get("name") or name
    attribute = next((a for a in plan.attributes if a.name == name), None)
    entry = attribute or plan.by_name.get(name)
    text = plan.text is not None and len(cls.model_fields) == 2  # the text of the root element, and the request id
    if text:
        return
    if entry is None:
        missing.append(f"{where}.{member}")
        return
    if inner.type_name == "list":
        assert entry.many, f"{where}.{member} is a list"
        item = kind.serialization.get("name") or "member"
        assert inner.serialization.get("flattened") or entry.item in (item, "*"), f"{where}.{member} is a list of {item}"
    if kind.type_name == "structure":
        _compare(kind, model_in(cls.model_fields[entry.field].annotation), f"{where}.{member}", missing)
        return
    annotation = unwrap(cls.model_fields[entry.field].annotation)
    if get_origin(annotation) is Literal:
        # A Literal must have every value of the model, or a response could not be parsed.
        assert set(kind.enum) <= set(get_args(annotation)), f"{where}.{member} may be {kind.enum}, ours {annotation}"
        return
    expected = {"integer": "int", "long": "int", "boolean": "bool", "timestamp": "datetime"}.get(kind.type_name, "str")
    assert expected in str(annotation), f"{where}.{member} is {kind.type_name}, ours {annotation}"


def _missing(sdk: RecordingSdk, cls: type[Operation[Any]]) -> list[str]:
    shape = sdk.client.meta.service_model.operation_model(cls.__name__).output_shape
    missing: list[str] = []
    if shape is not None:
        _compare(shape, cls.spec.result, cls.__name__, missing)
    return missing


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_our_result_has_every_member_of_the_sdk(cls: type[Operation[Any]], sdk: RecordingSdk) -> None:
    assert set(_missing(sdk, cls)) <= set(NOT_IN_RESULTS)


def test_every_missing_member_is_listed(sdk: RecordingSdk) -> None:
    assert {member for cls in OPERATIONS for member in _missing(sdk, cls)} == set(NOT_IN_RESULTS)
    assert all(NOT_IN_RESULTS.values())
