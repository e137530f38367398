"""Texts of fields and signatures with plain types, as tools show them."""

import inspect
import subprocess
import sys
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import pytest

from aiocos import describe
from aiocos.describe import field_texts, result_of, returns_coroutine, signature_of, with_arguments
from aiocos.operations.listing import ListObjectsV2
from aiocos.operations.objects import PutObject
from aiocos.transfer.requests import CopyRequest


def test_texts_of_a_class_and_its_mix_ins():
    texts = field_texts(PutObject)
    assert texts["if_match"].startswith("Write only over an object with this ETag.")
    assert texts["timeout"]
    assert field_texts(ListObjectsV2)["max_keys"]
    assert field_texts(CopyRequest)["source_client"]


def test_a_class_overrides_the_text_of_its_base(monkeypatch: pytest.MonkeyPatch):
    def parsed(module: str) -> dict[str, dict[str, str]]:
        return {"Base": {"a": "base", "b": "base"}, "Derived": {"a": "derived"}}

    class Base: ...

    class Derived(Base): ...

    Base.__qualname__, Derived.__qualname__ = "Base", "Derived"
    monkeypatch.setattr(describe, "_texts_in", parsed)
    assert field_texts(Derived) == {"a": "derived", "b": "base"}


def test_classes_of_other_packages_and_without_source_have_no_texts(monkeypatch: pytest.MonkeyPatch):
    assert field_texts(subprocess.Popen) == {}
    made = type("Made", (), {"__module__": "aiocos.wire.no_such_module"})
    assert field_texts(made) == {}


def test_the_source_is_read_on_demand_only():
    source = (
        "import ast, aiocos, inspect\n"
        "def refuse(*args, **kwargs): raise AssertionError('the source was parsed')\n"
        "ast.parse = refuse\n"
        "cos = aiocos.Client('http://localhost:1', access_key_id='a', secret_access_key='b')\n"
        "cos.objects.put('b', 'k').close()\n"
        "inspect.signature(cos.objects.put)\n"
    )
    subprocess.run([sys.executable, "-c", source], check=True)


def test_arguments_are_wrapped_and_fields_without_text_left_out():
    text = with_arguments("Do it.\n\n    Details.", {"a": "one\n\ntwo", "b": "", "c": "word " * 40})
    lines = text.splitlines()
    assert lines[:5] == ["Do it.", "", "Details.", "", "Args:"]
    assert lines[5] == "    a: one two"
    assert lines[6].startswith("    c: word")
    assert lines[7].startswith("        word")
    assert max(map(len, lines)) <= 120
    assert with_arguments("Do it.", {"a": ""}) == "Do it."


def test_own_keyword_parameters_come_before_those_of_mix_ins():
    names = list(signature_of(CopyRequest, int).parameters)
    assert names[:5] == ["source_bucket", "source_key", "bucket", "key", "version_id"]
    assert names.index("concurrency") < names.index("content_type") < names.index("expected_bucket_owner")


def test_a_signature_has_plain_types():
    signature = signature_of(PutObject, int)
    assert signature.parameters["content_type"].annotation == (str | None)
    assert "Annotated" not in str(signature)
    assert "Header" not in str(signature)
    assert signature.return_annotation is int


async def _awaited() -> bytes:
    return b""


def _coroutine() -> Coroutine[Any, Any, str]: ...


def _plain() -> list[str]: ...


async def _generator() -> AsyncGenerator[int]:
    yield 1


def _postponed() -> "Coroutine[Any, Any, str]": ...


@pytest.mark.parametrize(
    ("function", "result", "awaited"),
    [
        (_awaited, bytes, True),
        (_coroutine, str, True),
        (_postponed, str, True),
        (_plain, list[str], False),
        (_generator, AsyncGenerator[int], False),
    ],
)
def test_results(function: Any, result: Any, awaited: bool):
    assert result_of(function) == result
    assert returns_coroutine(function) is awaited


def test_no_annotation():
    def bare():  # type: ignore[no-untyped-def]
        ...

    assert result_of(bare) is Any
    assert not returns_coroutine(bare)
    assert inspect.signature(bare).parameters == {}
