"""Types of requests and responses."""

from __future__ import annotations

import subprocess
import sys
from typing import get_type_hints, is_typeddict

import pytest

from aiocos.ibm_boto3 import names, readers, responses, type_defs
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.s3 import options
from aiocos.wire.spec import Body

TYPES = {name: value for name, value in vars(type_defs).items() if is_typeddict(value)}


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_a_response_has_the_same_members_as_at_runtime(method: str):
    cls = OPERATIONS[method]
    typed = getattr(type_defs, f"{cls.__name__}OutputTypeDef")
    assert set(typed.__annotations__) == {*responses.member_names(cls), "ResponseMetadata"}


def test_every_operation_has_a_response_type():
    found = {name for name in vars(type_defs) if name.endswith("OutputTypeDef")}
    assert {f"{cls.__name__}OutputTypeDef" for cls in OPERATIONS.values()} <= found
    assert all(names.snake(cls.__name__) in OPERATIONS for cls in OPERATIONS.values())


@pytest.mark.parametrize("name", sorted(TYPES))
def test_annotations_can_be_evaluated(name: str) -> None:
    assert set(get_type_hints(TYPES[name])) == set(TYPES[name].__annotations__)


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_the_document_of_a_request_has_the_same_members_as_at_runtime(method: str) -> None:
    for p in OPERATIONS[method].spec.parameters:
        if isinstance(p.location, Body):
            document = readers.document_of(p)
            members = readers._StructureReader(document).members
            typed = TYPES[f"{document.__name__}TypeDef"]
            assert set(typed.__annotations__) == set(members)
            assert typed.__required_keys__ == {name for name, member in members.items() if member.required}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Upload", options.UPLOAD), ("Download", options.DOWNLOAD), ("Copy", options.COPY), ("Delete", options.DELETE)],
)
def test_extra_arguments_are_those_of_the_transfer(name: str, arguments: options.Arguments) -> None:
    typed = TYPES[f"{name}ArgsTypeDef"]
    assert sorted(typed.__annotations__) == arguments.names
    assert typed.__required_keys__ == frozenset()


def test_the_package_does_not_load_them() -> None:
    code = "import sys, aiocos.ibm_boto3; print('aiocos.ibm_boto3.type_defs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
