"""Descriptions of methods: texts of operations, parameters and fields."""

from __future__ import annotations

import re

import pytest

from aiocos.describe import field_texts
from aiocos.ibm_boto3 import inputs
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.describe import (
    attribute_texts,
    class_text,
    member_texts,
    method_text,
    operation_text,
    parameter_texts,
)
from aiocos.operations.objects import GetObject, PutObject


def test_a_text_is_the_string_under_a_field_of_the_class_or_of_a_base() -> None:
    texts = field_texts(PutObject)
    assert texts["if_none_match"].startswith('`"*"`')
    assert "User metadata" in texts["metadata"]
    assert "bucket" not in field_texts(object)


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_every_parameter_is_listed(method: str) -> None:
    cls = OPERATIONS[method]
    assert list(parameter_texts(cls)) == inputs.input_names(cls.spec)
    lines = [line.strip().partition(":")[0] for line in method_text(cls).splitlines()]
    assert set(inputs.input_names(cls.spec)) <= set(lines)


def test_texts_name_parameters_as_this_interface_does() -> None:
    assert "`if_none_match" in class_text(PutObject) + " ".join(field_texts(PutObject).values())
    shown = operation_text(PutObject) + " ".join(parameter_texts(PutObject).values())
    assert "`if_none_match" not in shown
    assert "`IfNoneMatch" in shown


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_no_text_is_about_the_typed_client(method: str) -> None:
    shown = method_text(OPERATIONS[method])
    assert not re.search(
        r"ByteRange|timedelta|`Client\.|`Listing`|`objects\.(?!put`)|needs a time zone|await cos|\bNone\b", shown
    )
    assert shown.count("Raises `ClientError`") == 1


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_every_parameter_has_a_text(method: str) -> None:
    assert [name for name, text in parameter_texts(OPERATIONS[method]).items() if not text] == []


def test_texts_of_a_response_name_its_members() -> None:
    result = GetObject.spec.result
    assert set(member_texts(result)) <= set(result.model_fields)
    assert all("`version_id`" not in text for text in member_texts(result).values())
    assert not any("None" in text for text in member_texts(result).values())
    assert "None for a whole object" in attribute_texts(result)["content_range"]
    assert "Missing for a whole object" in member_texts(result)["content_range"]
