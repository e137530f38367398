"""What a statement cannot say is refused when it is made; each check is provoked once."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from aiocos.operations.objects import Delete, GetObject, PutObject
from aiocos.wire.method import Call, Group
from aiocos.wire.spec import Body, Header, Operation, Payload, Query, Result, operation, registry
from aiocos.wire.values import codec


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def _state(
    pattern: str, annotations: dict[str, Any], method: str = "PUT", base: Any = Operation[Result], name: str = "Odd"
) -> Any:
    # Made by hand: this module postpones its annotations, and statements are read from real types.
    def body(namespace: dict[str, Any]) -> None:
        namespace["__annotations__"] = annotations

    return operation(method, pattern)(types.new_class(name, (base,), {}, body))


def test_a_right_statement_is_registered() -> None:
    made = _state("/{bucket}?odd=1", {"bucket": str, "x": Annotated[str, Query("x")]})
    assert registry["Odd"] is made
    assert made.statement.marks == {"?odd=1", "?x"}
    assert made.statement.repeatable
    assert not _state("/{bucket}?odd", {"bucket": str}, "POST", name="Odder").statement.repeatable


@pytest.mark.parametrize(
    ("pattern", "annotations", "text"),
    [
        ("/{bucket}?odd", {"bucket": str, "x": str}, r"Odd\.x has no place on the wire"),
        ("/{bucket}?odd", {"bucket": str, "x": Annotated[str, "elsewhere"]}, "no place"),
        ("/{key}", {"key": str}, "is not one of"),
        ("/{bucket}/{key}/{part}", {"bucket": str}, "is not one of"),
        ("/{bucket}/{key}?odd", {"bucket": str}, "the path names key, which is no field"),
        ("/{bucket}?odd", {"bucket": str, "a": Annotated[bytes, Payload()], "b": Annotated[Delete, Body()]}, "two bodies"),
        (
            "/{bucket}?odd",
            {"bucket": str, "a": Annotated[str, Header("X")], "b": Annotated[str, Header("x")]},
            "two fields travel",
        ),
        (
            "/{bucket}?odd",
            {"bucket": str, "a": Annotated[str, Query("x")], "b": Annotated[str, Query("x")]},
            "two fields travel",
        ),
        ("/{bucket}?odd", {"bucket": "str"}, "postpones its annotations"),
    ],
)
def test_what_cannot_be_is_refused(pattern: str, annotations: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        _state(pattern, annotations)
    assert "Odd" not in registry


def test_two_operations_of_one_request_are_refused() -> None:
    with pytest.raises(TypeError, match="CreateBucket are one request"):
        _state("/{bucket}", {"bucket": str})
    with pytest.raises(TypeError, match="are one request"):
        _state("/{bucket}?odd", {"bucket": str}, name="PutObject")
    # Optional parameters make no difference between requests, required ones do.
    _state("/{bucket}", {"bucket": str, "x": Annotated[str, Header("x-odd")]})


def test_a_statement_says_its_result() -> None:
    with pytest.raises(TypeError, match="does not say its result"):
        _state("/{bucket}?odd", {"bucket": str}, base=Operation[int])
    with pytest.raises(TypeError, match="does not say its result"):
        _state("/{bucket}?odd", {"bucket": str}, base=Operation)


@pytest.mark.parametrize("kind", [float, bytes, list[str], dict[str, str], int | str | None, Delete])
def test_a_type_without_a_text_is_refused(kind: Any) -> None:
    if kind == int | str | None:
        assert codec(kind) is codec(str)
    else:
        with pytest.raises(TypeError, match="cannot travel"):
            codec(kind)


def test_operations_are_slotted_and_their_parameters_closed() -> None:
    made = GetObject("b", "k", version_id="1")
    with pytest.raises(AttributeError):
        made.versionid = "2"  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        GetObject("b", "k", versionid="2")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        GetObject("b", "k", None)  # type: ignore[misc]
    shown = repr(made).removeprefix("GetObject(").removesuffix(")")
    assert set(shown.split(", ")) == {"bucket='b'", "key='k'", "version_id='1'"}


def test_a_method_has_the_signature_of_its_operation() -> None:
    class Recorder:
        def call(self, made: Any) -> Any:
            return made

    class Things(Group[Recorder]):
        put = Call(PutObject)

    things = Things(Recorder())
    assert inspect.signature(things.put) == inspect.signature(PutObject)
    assert things.put.__name__ == "put"
    assert things.put.__doc__ == PutObject.__doc__
    assert things.put is things.put
    assert things.put("b", "k", b"x", content_type="t") == PutObject("b", "k", b"x", content_type="t")
    assert Things.put.operation is PutObject
    with pytest.raises(TypeError):
        things.put("b")
