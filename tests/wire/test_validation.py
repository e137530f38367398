"""Tests of `aiocos.wire.validation`: one-line messages for values that do not fit a document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from aiocos.wire.document import Document
from aiocos.wire.validation import describe_validation_error


class _Inner(Document):
    name: str


class _Outer(Document):
    text: str = ""
    number: int = 0
    truth: bool = False
    moment: datetime | None = None
    items: list[_Inner] = []
    table: dict[str, str] = {}
    word: Literal["a", "b"] = "a"
    inner: _Inner | None = None


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"text": 5}, "text: must be a string, not 5"),
        ({"text": 1.5}, "text: must be a string, not 1.5"),
        ({"text": [1]}, "text: must be a string"),
        ({"number": "x"}, "number: must be a whole number, not 'x'"),
        ({"number": None}, "number: must be a whole number"),
        ({"truth": "perhaps"}, "truth: must be true or false, not 'perhaps'"),
        ({"truth": None}, "truth: must be true or false"),
        ({"moment": "x" * 90}, f"moment: must be a time, not {'x' * 80!r}"),
        ({"moment": "2026-13-01T00:00:00Z"}, "moment: must be a time, not '2026-13-01T00:00:00Z'"),
        ({"moment": []}, "moment: must be a time"),
        ({"items": "x"}, "items: must be a list, not 'x'"),
        ({"items": [{"name": "a"}, {}]}, "items.1.name: is missing"),
        ({"items": ["x"]}, "items.0: must be a _Inner, not 'x'"),
        ({"table": "x"}, "table: must be a dictionary, not 'x'"),
        ({"word": "c"}, "word: must be 'a' or 'b', not 'c'"),
        ({"inner": 5}, "inner: must be a _Inner, not 5"),
        ({"other": "x"}, "other: is not a field of this document"),
        ({"number": 1.5}, "number: Input should be a valid integer, got a number with a fractional part, not 1.5"),
        ("x", "document: must be a _Outer, not 'x'"),
        ({"number": "x", "text": 5}, "text: must be a string, not 5"),
    ],
)
def test_the_message_names_the_first_value_that_does_not_fit(given: Any, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(given)
    assert describe_validation_error(caught.value) == text


def test_the_message_of_a_missing_field_has_no_value() -> None:
    with pytest.raises(ValidationError) as caught:
        _Inner.model_validate({})
    assert describe_validation_error(caught.value) == "name: is missing"
