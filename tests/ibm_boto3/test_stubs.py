"""The types that are shipped for checkers: they are current, and name what is there at runtime."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aiocos.ibm_boto3
from aiocos.ibm_boto3 import inputs
from aiocos.ibm_boto3.client import OPERATIONS, S3Client
from aiocos.ibm_boto3.describe import operation_text
from aiocos.ibm_boto3.resource import ServiceResource
from aiocos.ibm_boto3.resource.classes import CLASSES
from aiocos.ibm_boto3.resource.definitions import MODELS

ROOT = Path(__file__).parents[2]
PACKAGE = Path(aiocos.ibm_boto3.__file__).parent
STUBS = sorted(PACKAGE.rglob("*.pyi"))


def classes_of(stub: Path) -> Iterator[tuple[str, ast.ClassDef]]:
    """The classes of a stub that exist at runtime."""
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ClassDef) and "type_check_only" not in [getattr(one, "id", "") for one in node.decorator_list]:
            yield node.name, node


def methods_of(node: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {one.name: one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def members_of(node: ast.ClassDef) -> set[str]:
    """The names that a class of a stub has: methods, annotated attributes, other names of methods."""
    targets = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
    targets += [target for one in node.body if isinstance(one, ast.Assign) for target in one.targets]
    return set(methods_of(node)) | {one.id for one in targets if isinstance(one, ast.Name)}


def keywords_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, bool]:
    """The keyword-only parameters of a method, and whether each is required."""
    return {one.arg: default is None for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)}


def stub_class(module: str, name: str) -> ast.ClassDef:
    return dict(classes_of(PACKAGE / f"{module}.pyi"))[name]


def test_the_committed_stubs_are_current():
    found = subprocess.run(
        [sys.executable, "docs/stubs/write.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.stem)
def test_every_name_of_a_stub_exists_at_runtime(stub: Path):
    module = importlib.import_module(".".join(["aiocos.ibm_boto3", *stub.relative_to(PACKAGE).with_suffix("").parts]))
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert hasattr(module, node.name)
    for name, node in classes_of(stub):
        cls = getattr(module, name)
        for method in methods_of(node):
            assert hasattr(cls, method) or method in OPERATIONS, f"{name}.{method}"


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.stem)
def test_every_public_name_of_a_class_is_in_its_stub(stub: Path):
    module = importlib.import_module(".".join(["aiocos.ibm_boto3", *stub.relative_to(PACKAGE).with_suffix("").parts]))
    for name, node in classes_of(stub):
        cls = getattr(module, name)
        there = {one for one, value in vars(cls).items() if not one.startswith("_") and not is_absent(value)}
        made_at_access = set(OPERATIONS) if cls is S3Client else set[str]()
        named = {one for one in members_of(node) if not one.startswith("_")} - made_at_access
        set_by_init = named - there - set(methods_of(node))
        assert there == named - set_by_init, name


def is_absent(value: Any) -> bool:
    """Whether a property stands for a name of IBM's SDK that is not offered: checkers are to refuse it."""
    return isinstance(value, property) and (value.__doc__ or "").startswith("Not offered")


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_a_method_takes_the_same_parameters_as_at_runtime(method: str):
    spec = OPERATIONS[method].spec
    members = inputs.input_members(spec)
    expected = {name: name in members and members[name].required for name in inputs.input_names(spec)}
    assert keywords_of(methods_of(stub_class("client", "S3Client"))[method]) == expected


@pytest.mark.parametrize("name", ["put_object", "upload_file", "close", "copy"])
def test_a_stub_has_the_text_of_the_method(name: str):
    node = methods_of(stub_class("client", "S3Client"))[name]
    doc = operation_text(OPERATIONS[name]) if name in OPERATIONS else inspect.cleandoc(getattr(S3Client, name).__doc__ or "")
    assert " ".join((ast.get_docstring(node) or "").split()).startswith(" ".join(doc.split()))


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_an_action_takes_the_parameters_of_its_operation_without_the_identifiers(kind: str):
    model, methods = MODELS[kind], methods_of(stub_class("resource/classes", kind))
    for name, action in model.actions.items():
        known = set(inputs.input_names(OPERATIONS[action.method].spec))
        assert set(keywords_of(methods[name])) == known - set(model.identifiers.values()) - set(action.fixed)
    for name, child in model.children.items():
        free = [one for one, member in MODELS[child].identifiers.items() if member not in model.identifiers.values()]
        assert [one.arg for one in methods[name].args.args] == ["self", *free]


def test_every_resource_has_its_class():
    assert {name for name, _ in classes_of(PACKAGE / "resource/classes.pyi")} == set(CLASSES)
    assert {name for name, _ in classes_of(PACKAGE / "resource/service.pyi")} == {ServiceResource.__name__.removeprefix("s3.")}
