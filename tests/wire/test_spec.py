"""Tests of `aiocos.wire.spec`: each check of a declaration fails once, and the fields of a spec."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from aiocos.operations.objects import Delete, GetObject, HeadObject, PutObject
from aiocos.wire.method import Call, Group, Method
from aiocos.wire.spec import Body, Header, Local, Operation, Payload, Query, Result, operation, registry
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
    # The annotations are set by hand: this module postpones its own, and `@operation` needs real types.
    def body(namespace: dict[str, Any]) -> None:
        namespace["__annotations__"] = annotations

    return operation(method, pattern)(types.new_class(name, (base,), {}, body))


def test_an_operation_is_registered() -> None:
    made = _state("/{bucket}?odd=1", {"bucket": str, "x": Annotated[str, Query("x")]})
    assert registry["Odd"] is made
    assert made.spec.discriminators == {"?odd=1", "?x"}
    assert made.spec.idempotent
    assert not _state("/{bucket}?odd", {"bucket": str}, "POST", name="Odder").spec.idempotent


@pytest.mark.parametrize(
    ("pattern", "annotations", "text"),
    [
        ("/{bucket}?odd", {"bucket": str, "x": str}, r"Odd\.x has no location on the wire"),
        ("/{bucket}?odd", {"bucket": str, "x": Annotated[str, "elsewhere"]}, "no location"),
        ("/{key}", {"key": str}, "is not one of"),
        ("/{bucket}/{key}/{part}", {"bucket": str}, "is not one of"),
        ("/{bucket}/{key}?odd", {"bucket": str}, "the path has key, but there is no such field"),
        ("/{bucket}?odd", {"bucket": str, "a": Annotated[bytes, Payload()], "b": Annotated[Delete, Body()]}, "two bodies"),
        (
            "/{bucket}?odd",
            {"bucket": str, "a": Annotated[str, Header("X")], "b": Annotated[str, Header("x")]},
            "two fields use the",
        ),
        (
            "/{bucket}?odd",
            {"bucket": str, "a": Annotated[str, Query("x")], "b": Annotated[str, Query("x")]},
            "two fields use the",
        ),
        ("/{bucket}?odd", {"bucket": "str"}, "must not postpone"),
    ],
)
def test_invalid_declarations_are_refused(pattern: str, annotations: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        _state(pattern, annotations)
    assert "Odd" not in registry


def test_operations_that_a_request_could_not_tell_apart_are_refused() -> None:
    with pytest.raises(TypeError, match="CreateBucket have the same request line"):
        _state("/{bucket}", {"bucket": str})
    with pytest.raises(TypeError, match="have the same request line"):
        _state("/{bucket}?odd", {"bucket": str}, name="PutObject")
    # Required parameters distinguish requests; optional ones do not.
    _state("/{bucket}", {"bucket": str, "x": Annotated[str, Header("x-odd")]})


def test_an_operation_without_result_type_is_refused() -> None:
    with pytest.raises(TypeError, match="has no result type"):
        _state("/{bucket}?odd", {"bucket": str}, base=Operation[int])
    with pytest.raises(TypeError, match="has no result type"):
        _state("/{bucket}?odd", {"bucket": str}, base=Operation)


@pytest.mark.parametrize("kind", [float, bytes, list[str], dict[str, str], int | str | None, Delete])
def test_a_parameter_type_without_codec_is_refused(kind: Any) -> None:
    if kind == int | str | None:
        assert codec(kind) is codec(str)
    else:
        with pytest.raises(TypeError, match="has no form for headers"):
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
    parameters = inspect.signature(things.put).parameters
    assert {name: p.kind for name, p in parameters.items()} == {
        name: p.kind for name, p in inspect.signature(PutObject).parameters.items()
    }
    assert things.put.__name__ == "put"
    assert things.put.__doc__ is not None
    assert things.put.__doc__.startswith("Store an object")
    assert things.put is things.put
    assert things.put("b", "k", b"x", content_type="t") == PutObject("b", "k", b"x", content_type="t")
    assert Things.put.operation is PutObject
    with pytest.raises(TypeError):
        things.put("b")


# ---------------------------------------------------------------------------------------------------------------------
# Fields of a spec


def test_every_field_of_a_spec() -> None:
    annotations = {
        "x": Annotated[str | None, Query("X")],
        "head": Annotated[str, Header("X-Head")],
        "data": Annotated[bytes, Payload()],
        "key": str,
        "bucket": str,
        "service_instance_id": Annotated[str, Local()],
    }
    spec = _state("/{bucket}/{key}?a=1&b&&c=", annotations).spec
    assert (spec.name, spec.method, spec.success_status, spec.idempotent) == ("Odd", "PUT", 200, True)
    assert (spec.has_bucket, spec.has_key, spec.has_payload, spec.names_instance) == (True,) * 4
    assert spec.query == (("a", "1"), ("b", ""), ("c", ""))
    assert [p.name for p in spec.parameters][:2] == ["key", "bucket"]
    assert [p.name for p in spec.parameters if p.required] == ["key", "bucket", "x", "head", "data", "service_instance_id"]
    assert spec.discriminators == {"?a=1", "?b", "?c", "?X", "x-head"}
    assert spec.body is not None
    assert spec.body.name == "data"
    plain = _state("/?odd", {}, name="Plain").spec
    assert (plain.has_bucket, plain.has_key, plain.has_payload, plain.names_instance, plain.body) == (False,) * 4 + (None,)


@pytest.mark.parametrize(
    ("method", "given", "idempotent"),
    [("GET", None, True), ("POST", None, False), ("POST", True, True), ("PUT", False, False), ("DELETE", None, True)],
)
def test_idempotent_follows_from_the_method(method: str, given: bool | None, idempotent: bool) -> None:
    made = operation(method, "/?odd", success_status=204, idempotent=given)(types.new_class("Odd", (Operation[Result],)))
    assert (made.spec.idempotent, made.spec.success_status) == (idempotent, 204)


def test_defaults_and_required_parameters() -> None:
    parameters = {p.name: p for p in PutObject.spec.parameters}
    assert (parameters["bucket"].required, parameters["data"].required, parameters["data"].default) == (True, False, b"")
    assert (parameters["acl"].required, parameters["acl"].default, parameters["bucket"].default) == (False, None, None)
    marks = {p.name: p.location for p in GetObject.spec.parameters}
    assert isinstance(marks["range"], Header)
    assert (marks["range"].lenient, marks["range"].iso, marks["range"].fraction) == (True, False, False)
    assert Query("x") == Query("x", lenient=False)
    assert Header("x") == Header("x", iso=False, lenient=False, fraction=False)
    assert Body() == Body(md5=False, of=None)


def test_operations_are_equal_by_their_parameters() -> None:
    one = GetObject("b", "k", version_id="v", timeout=5)
    assert one == GetObject("b", "k", version_id="v", timeout=5)
    assert one != GetObject("b", "k", version_id="v", timeout=6)
    assert one != GetObject("b", "k", version_id="w", timeout=5)
    assert one != HeadObject("b", "k", version_id="v", timeout=5)
    assert one != "another"
    assert one.find_mismatch(None) is None
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_repr_of_an_operation() -> None:
    assert repr(GetObject("b", "k", timeout=5)) == "GetObject(bucket='b', key='k', timeout=5)"
    shown = repr(PutObject("b", "k", b"data", customer_key=b"k" * 32, content_type="t", acl=None))
    assert shown == "PutObject(bucket='b', key='k', content_type='t')"


@pytest.mark.parametrize(
    ("pattern", "method", "clashes"),
    [
        ("/{bucket}?odd", "PUT", True), ("/{bucket}?odd", "GET", False), ("/{bucket}/{key}?odd", "PUT", False),
        ("/?odd", "PUT", False), ("/{bucket}?odd=1", "PUT", False), ("/{bucket}?even", "PUT", False),
    ],
)  # fmt: skip
def test_operations_differ_by_method_path_and_discriminators(pattern: str, method: str, clashes: bool) -> None:
    _state("/{bucket}?odd", {"bucket": str})
    names = {name: str for name in ("bucket", "key") if name in pattern}
    if clashes:
        with pytest.raises(TypeError, match="Other and Odd have the same request line"):
            _state(pattern, names, method, name="Other")
    else:
        _state(pattern, names, method, name="Other")
        assert list(registry)[-2:] == ["Odd", "Other"]


def test_a_header_and_a_query_may_have_one_name() -> None:
    _state("/{bucket}?odd", {"bucket": str, "a": Annotated[str, Header("x")], "b": Annotated[str, Query("x")]})


def test_a_group_binds_its_methods_to_its_caller() -> None:
    class Things(Group[str]):
        read: Any = Method(GetObject, lambda caller, made: (caller, made))

    things = Things("caller")
    assert things._caller == "caller"
    assert things.read("b", "k") == ("caller", GetObject("b", "k"))
    assert things.__dict__["read"] is things.read
    assert (things.read.__name__, things.read.__module__) == ("read", __name__)
    assert things.read.__qualname__.endswith("Things.read")
    assert Things.read.__doc__ == things.read.__doc__
    assert Things("other").read("b", "k")[0] == "other"
