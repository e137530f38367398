"""Tests of `aiocos.wire.fast_builder`: its results equal those of pydantic, or are left to it."""

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from aiocos.errors import ProtocolError
from aiocos.operations.objects import Deletion, ObjectInfo, PutObjectResult
from aiocos.wire import bind
from aiocos.wire.document import Document
from aiocos.wire.fast_builder import FastBuilder, are_alike
from aiocos.wire.message import Response
from aiocos.wire.spec import Header

RESULTS = [ObjectInfo, PutObjectResult, Deletion]
NAMES = sorted({m.name for cls in RESULTS for f in cls.model_fields.values() for m in f.metadata if isinstance(m, Header)})
VALUES = st.one_of(
    st.sampled_from(
        [
            "12", "-2", "+1", "1_000", " 5", "007", "1.0", "9" * 18, "9" * 19, "true", "false", "True", "1", "yes", "",
            "Fri, 20 Nov 2026 10:00:00 GMT", "Fri, 31 Feb 2026 10:00:00 GMT", "Fri, 20 Nov 2026 10:00:00 +0200", "20 Nov 2026",
            "Fri, 20 Xxx 2026 10:00:00 GMT", "Fri, 20 Nov 2026 25:00:00 GMT", "2026-11-20T10:00:00Z", "20261120T100000Z",
            "2026-11-20T10:00:00+05:00", "é", "\udce9", "GOVERNANCE",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip


def outcome(cls: type[Any], headers: dict[str, str], *, made: bool) -> Any:
    shape = bind._shape(cls)
    assert shape.builder is not None
    taken = shape.builder if made else None
    object.__setattr__(shape, "builder", taken)
    try:
        return bind.from_response(cls, Response(200, headers))
    except ProtocolError as error:
        return str(error)
    finally:
        object.__setattr__(shape, "builder", FastBuilder(cls))


def like(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    assert one == other
    if isinstance(one, BaseModel):
        assert repr(one) == repr(other)
        assert list(one.__dict__) == list(other.__dict__)
        assert one.model_fields_set == other.model_fields_set
        assert one.model_dump() == other.model_dump()
        for copied in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one), one.model_copy()):
            assert copied == other


@pytest.mark.parametrize("cls", RESULTS)
@given(headers=st.dictionaries(st.sampled_from([*NAMES, "x-amz-meta-A", "X-Amz-Meta-b", "x-amz-request-id", "Server"]), VALUES))
def test_the_fast_builder_gives_the_result_of_pydantic(cls: type[Any], headers: dict[str, str]) -> None:
    like(outcome(cls, headers, made=True), outcome(cls, headers, made=False))


def test_the_usual_response_is_built_without_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {
        "ETag": '"0cc175b9c0f1b6a831c399e269772661"',
        "Content-Length": "1",
        "Last-Modified": "Fri, 20 Nov 2026 10:00:00 GMT",
        "X-Amz-Meta-Who": "me",
        "x-clv-request-id": "r",
    }
    bind._shape(ObjectInfo)
    monkeypatch.setattr(bind, "build", lambda *_: pytest.fail("validated"))
    made = bind.from_response(ObjectInfo, Response(200, headers))
    assert (made.size, made.metadata, made.request_id) == (1, {"who": "me"}, "r")


@pytest.mark.parametrize("slot", ["__dict__", "__pydantic_fields_set__", "__pydantic_extra__"])
def test_another_layout_of_pydantic_instances_is_detected(slot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = FastBuilder.make

    def otherwise(self: FastBuilder, values: dict[str, Any]) -> Any:
        made = make(self, values)
        object.__setattr__(made, slot, {"other": 1})
        return made

    assert FastBuilder(ObjectInfo).is_right
    monkeypatch.setattr(FastBuilder, "make", otherwise)
    assert not FastBuilder(ObjectInfo).is_right


def test_results_share_no_metadata() -> None:
    one, other = (bind.from_response(ObjectInfo, Response(200, {})) for _ in range(2))
    one.metadata["a"] = "b"
    assert other.metadata == {}


USUAL: list[tuple[type[Any], dict[str, str], dict[str, Any]]] = [
    (Deletion, {"x-amz-delete-marker": "true"}, {"delete_marker": True}),
    (Deletion, {"x-amz-delete-marker": "false", "x-amz-version-id": "v"}, {"delete_marker": False, "version_id": "v"}),
    (ObjectInfo, {"Content-Length": "9" * 18}, {"content_length": int("9" * 18)}),
    (ObjectInfo, {"Content-Length": "007"}, {"content_length": 7}),
    (ObjectInfo, {"Last-Modified": "20261120T100000Z"}, {"last_modified": datetime(2026, 11, 20, 10, tzinfo=UTC)}),
    (ObjectInfo, {"x-amz-meta-a": "b", "ETag": ""}, {"metadata": {"a": "b"}, "etag": ""}),
    (PutObjectResult, {}, {}),
]


@pytest.mark.parametrize(("cls", "headers", "fields"), USUAL)
def test_usual_values_are_converted(
    cls: type[Any], headers: dict[str, str], fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bind._shape(cls)
    monkeypatch.setattr(bind, "build", lambda *_: pytest.fail("validated"))
    made = bind.from_response(cls, Response(200, headers))
    assert {name: getattr(made, name) for name in fields} == fields
    # The metadata and the request id are always given.
    assert made.model_fields_set - {"metadata", "request_id"} == set(fields) - {"metadata"}


OTHER_FORMS: list[tuple[type[Any], dict[str, str]]] = [
    (ObjectInfo, {"ETag": "ü"}),
    (ObjectInfo, {"Content-Length": "-1"}),
    (ObjectInfo, {"Content-Length": "\u0663"}),
    (ObjectInfo, {"Content-Length": " 5"}),
    (Deletion, {"x-amz-delete-marker": "True"}),
    (ObjectInfo, {"Last-Modified": "2026-11-20T10:00:00Z"}),
    (ObjectInfo, {"Last-Modified": "Fri, 20 Nov 2026 10:00:00 -0000"}),
    (ObjectInfo, {"x-amz-meta-a": "b", "x-amz-meta-c": "ü"}),
]


@pytest.mark.parametrize(("cls", "headers"), OTHER_FORMS)
def test_unusual_values_are_left_to_pydantic(cls: type[Any], headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    validated: list[Any] = []
    build = bind.build
    monkeypatch.setattr(bind, "build", lambda *given: validated.append(given) or build(*given))
    try:
        bind.from_response(cls, Response(200, headers))
    except ProtocolError:
        pass
    assert len(validated) == 1


class _One(Document):
    a: str | None = None
    b: str | None = None


class _Two(_One):
    pass


def _one(fields_set: set[str], **state: Any) -> _One:
    made = _One.model_construct(fields_set)
    made.__dict__.clear()
    made.__dict__.update(state)
    return made


def test_are_alike() -> None:
    valid = _One(a="1")
    assert are_alike(_one({"a"}, a="1", b=None), valid) is True
    assert not are_alike(_one({"a"}, a="2", b=None), valid)
    assert not are_alike(_one({"a"}, b=None, a="1"), valid), "another order"
    assert not are_alike(_one(set(), a="1", b=None), valid), "other fields given"
    assert not are_alike(_Two(a="1"), valid)
    assert not are_alike(_one({"a"}, a="1"), valid)
    extra = _one({"a"}, a="1", b=None)
    object.__setattr__(extra, "__pydantic_extra__", {})
    assert not are_alike(extra, valid)


class _Unready(Document):
    """A required field, and one with a mutable default."""

    request_id: str | None = None
    needed: str


class _Listing(Document):
    request_id: str | None = None
    items: list[str] = []


class _Ready(Document):
    request_id: str | None = None
    text: str = "t"
    number: int = 1
    table: dict[str, str] = {}


def test_classes_that_the_fast_builder_supports() -> None:
    assert FastBuilder(_Ready).is_right is True
    assert FastBuilder(_Unready).is_right is False
    assert FastBuilder(_Listing).is_right is False
    made = FastBuilder(_Ready).make({"request_id": None, "number": "5", "table": {"a": "b"}})
    assert made == _Ready(number=5, table={"a": "b"})
    assert FastBuilder(_Ready).make({"unknown": "x"}) is None
