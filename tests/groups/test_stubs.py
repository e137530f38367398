"""The stubs of groups and transfers are current, and agree with the runtime."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import aiocos
from aiocos.wire.method import Method

ROOT = Path(__file__).parents[2]
PACKAGE = Path(str(aiocos.__file__)).parent
STUBS = sorted([*(PACKAGE / "groups").glob("*.pyi"), PACKAGE / "transfer" / "manager.pyi"])
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _module(stub: Path) -> Any:
    return importlib.import_module(".".join(["aiocos", *stub.relative_to(PACKAGE).with_suffix("").parts]))


def _classes(stub: Path) -> list[ast.ClassDef]:
    return [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ClassDef)]


def _methods(node: ast.ClassDef) -> dict[str, Function]:
    """Methods by name; of an overloaded method the last overload, which has the most parameters."""
    return {one.name: one for one in node.body if isinstance(one, Function)}


def test_the_committed_stubs_are_current():
    found = subprocess.run(
        [sys.executable, "docs/stubs/write_groups.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_every_group_has_a_stub():
    modules = {path.stem for path in (PACKAGE / "groups").glob("*.py")} - {"__init__"}
    assert {stub.stem for stub in STUBS} == {*modules, "manager"}


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.stem)
def test_a_stub_names_what_the_module_has(stub: Path):
    module = _module(stub)
    made = {name: value for name, value in vars(module).items() if isinstance(value, type) or inspect.isfunction(value)}
    own = {name for name, value in made.items() if value.__module__ == module.__name__}
    named = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ClassDef | Function)]
    assert {name for name in own if not name.startswith("_")} == {node.name for node in named}
    for node in _classes(stub):
        cls = getattr(module, node.name)
        members = {name for name in vars(cls) if not name.startswith("_")} - {"noun"}
        assert {name for name in _methods(node) if not name.startswith("_")} == members


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.stem)
def test_a_method_has_the_parameters_and_the_text_that_it_has_at_runtime(stub: Path):
    module = _module(stub)
    for node in _classes(stub):
        for name, function in _methods(node).items():
            value = inspect.getattr_static(getattr(module, node.name), name)
            if isinstance(value, property) or name == "__init__":
                continue
            arguments = function.args
            given = [*arguments.args, *arguments.kwonlyargs]
            runtime = inspect.signature(value).parameters
            assert [one.arg for one in given] == list(runtime), name
            positional = [one.name for one in runtime.values() if one.kind is not one.KEYWORD_ONLY]
            assert [one.arg for one in arguments.args] == positional, name
            text = " ".join((ast.get_docstring(function) or "").split())
            assert text == " ".join((inspect.getdoc(value) or "").split()), name
            if isinstance(value, Method):
                assert isinstance(function, ast.AsyncFunctionDef) == value.returns_coroutine, name


# -- completion in editors --------------------------------------------------------------------------------------------

_SCRIPT = """
import aiocos

async def main() -> None:
    async with aiocos.Client() as cos:
        {line}
"""


def _script(line: str) -> tuple[Any, int, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jedi
    return jedi.Script(_SCRIPT.format(line=line)), 6, 8 + len(line)


def test_groups_and_methods_are_completed():
    script, line, column = _script("cos.")
    assert {"objects", "buckets", "multipart", "upload", "start_upload"} <= {one.name for one in script.complete(line, column)}
    script, line, column = _script("cos.objects.")
    assert {"put", "get", "read", "list", "delete_many"} <= {one.name for one in script.complete(line, column)}


@pytest.mark.parametrize(
    ("call", "parameter", "text"),
    [
        ("cos.objects.put(", "param content_type: str | None=None", "if_match: Write only over an object with this ETag."),
        ("cos.upload(", "param part_size: int | None=None", "Upload an object of any size"),
        ("cos.objects.list(", "param prefix: str | None=None", "List the objects of a bucket"),
    ],
)
def test_the_parameters_of_a_call_are_shown_with_their_texts(call: str, parameter: str, text: str):
    script, line, column = _script(call)
    (signature,) = script.get_signatures(line, column)
    assert parameter in [one.description for one in signature.params]
    assert text in " ".join(signature.docstring().split())
