"""Methods of a client: their parameters, their help, how they are called."""

from __future__ import annotations

import inspect
import pydoc
import re
from typing import Any

import pytest

from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.method import ClientMethod


@pytest.fixture
def calls() -> list[tuple[Any, dict[str, Any]]]:
    return []


@pytest.fixture
def put_object(calls: list[tuple[Any, dict[str, Any]]]) -> ClientMethod:
    async def send(cls: Any, given: Any) -> dict[str, Any]:
        calls.append((cls, dict(given)))
        return {"ETag": '"x"'}

    return ClientMethod("put_object", OPERATIONS["put_object"], send)


async def test_a_call_sends_the_operation_with_its_parameters(put_object: ClientMethod, calls: list[Any]) -> None:
    assert await put_object(Bucket="b", Key="k") == {"ETag": '"x"'}
    assert calls == [(OPERATIONS["put_object"], {"Bucket": "b", "Key": "k"})]


def test_positional_arguments_are_refused(put_object: ClientMethod) -> None:
    with pytest.raises(TypeError, match=r"put_object\(\) only accepts keyword arguments"):
        put_object("b", "k")


def test_the_signature_has_required_parameters_first_and_without_default(put_object: ClientMethod) -> None:
    parameters = list(inspect.signature(put_object).parameters.values())
    required = [p.name for p in parameters if p.default is p.empty]
    assert required == ["Bucket", "Key"] == [p.name for p in parameters[:2]]
    assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY}


def test_help_shows_the_operation_and_the_text_of_each_parameter(put_object: ClientMethod) -> None:
    shown = pydoc.plain(pydoc.render_doc(put_object))
    # Python 3.13 shows a long signature on several lines.
    assert re.search(r"put_object\(\s*\*,\s*Bucket,\s*Key,\s", shown)
    assert "Store an object" in shown
    assert "        Bucket: Name of the bucket." in shown
    assert "        SSECustomerAlgorithm: Algorithm of the customer's encryption key" in shown


def test_two_clients_have_methods_of_their_own(put_object: ClientMethod) -> None:
    async def other(cls: Any, given: Any) -> dict[str, Any]:
        return {}

    assert put_object.__name__ == put_object.__qualname__ == "put_object"
    assert ClientMethod("put_object", OPERATIONS["put_object"], other) != put_object
    assert repr(put_object) == "<method put_object of an aiocos.ibm_boto3 client>"
