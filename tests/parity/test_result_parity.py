"""The first witness, the other way: what the SDK's service model can read from an answer, our results can read as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

import aiocos.operations  # noqa: F401 - registers every operation
from aiocos.wire.document import Document, plan_of, unwrap
from aiocos.wire.spec import Header, HeaderMap, Operation, registry

from .ibm import Witness, model_in

OPERATIONS = [cls for cls in registry.values() if cls.__module__.startswith("aiocos.")]

# Members of answers that our results do not hold.
NOT_HELD: dict[str, str] = {
    "GetObject.Body": "the bytes are a stream beside the result",
}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    made = Witness("http://cos.example")
    yield made
    made.close()


def _headers(cls: type[Document]) -> dict[str, str]:
    marks = {name: mark for name, info in cls.model_fields.items() for mark in info.metadata}
    return {
        (mark.name if isinstance(mark, Header) else mark.prefix).lower(): name
        for name, mark in marks.items()
        if isinstance(mark, Header | HeaderMap)
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
    text = plan.text is not None and len(cls.model_fields) == 2  # the root's own text, and the request id
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
        # A closed set must hold every value that the model knows, or an answer could not be read.
        assert set(kind.enum) <= set(get_args(annotation)), f"{where}.{member} may be {kind.enum}, ours {annotation}"
        return
    expected = {"integer": "int", "long": "int", "boolean": "bool", "timestamp": "datetime"}.get(kind.type_name, "str")
    assert expected in str(annotation), f"{where}.{member} is {kind.type_name}, ours {annotation}"


def _missing(witness: Witness, cls: type[Operation[Any]]) -> list[str]:
    shape = witness.client.meta.service_model.operation_model(cls.__name__).output_shape
    missing: list[str] = []
    if shape is not None:
        _compare(shape, cls.spec.result, cls.__name__, missing)
    return missing


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_our_result_holds_what_theirs_does(cls: type[Operation[Any]], witness: Witness) -> None:
    assert set(_missing(witness, cls)) <= set(NOT_HELD)


def test_what_is_not_held_has_a_reason(witness: Witness) -> None:
    assert {member for cls in OPERATIONS for member in _missing(witness, cls)} == set(NOT_HELD)
    assert all(NOT_HELD.values())
