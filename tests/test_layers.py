"""Rules about the source that tools do not check: which layers may wait, and where sleeps and sessions are allowed.

The layers themselves are contracts of import-linter in `pyproject.toml`; `lint-imports` checks them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aiocos

ROOT = Path(aiocos.__file__).parent
DEPENDENCIES = {"aiohttp", "aiofiles", "pydantic"}
# Further packages that one part of the library may import: extras, and dependencies of dependencies.
MORE_DEPENDENCIES = {
    "cli": {"typer", "rich", "click"},
    "integrations": {"pytest", "pytest_asyncio"},
    "net": {"yarl", "multidict"},
    "emulator": {"multidict"},
}


def _modules() -> Iterator[tuple[str, str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT).as_posix()
        yield relative, relative.partition("/")[0].removesuffix(".py"), ast.parse(path.read_text())


def _imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node


# Path, part of the library, and syntax tree of each module.
MODULES = list(_modules())


def test_imports_are_absolute() -> None:
    for path, _, tree in MODULES:
        for node in ast.walk(tree):
            assert not isinstance(node, ast.ImportFrom) or node.level == 0, f"{path}:{node.lineno} imports relatively"


def test_the_emulator_imports_the_client_only_when_it_is_used() -> None:
    tree = ast.parse((ROOT / "emulator/__init__.py").read_text())
    at_import = {name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name, _ in _imports(node)}
    assert "aiocos.client" not in at_import


def test_only_declared_dependencies_are_imported() -> None:
    for path, part, tree in MODULES:
        for name, node in _imports(tree):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top == "aiocos":
                continue
            assert top in DEPENDENCIES | MORE_DEPENDENCIES.get(part, set()), f"{path}:{node.lineno}: {part} imports {top}"


@pytest.mark.parametrize("part", ["errors", "config", "wire", "operations"])
def test_the_lower_layers_do_not_wait(part: str) -> None:
    """They have neither coroutines nor input and output, so they can be tested and reused without an event loop."""
    for path, owner, tree in MODULES:
        if owner != part:
            continue
        for node in ast.walk(tree):
            waits = isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.AsyncFunctionDef)
            assert not waits, f"{path}: {type(node).__name__}"
        for name, _ in _imports(tree):
            assert name.partition(".")[0] not in {"aiohttp", "asyncio", "time", "aiofiles"}, f"{path} imports {name}"


def _callers(name: str) -> list[str]:
    """Return the modules of the library that call a function by this dotted name."""
    return [
        path
        for path, part, tree in MODULES
        if part != "emulator"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]


def test_one_function_sleeps_and_one_module_creates_sessions() -> None:
    assert _callers("asyncio.sleep") == ["net/retry.py"]
    assert _callers("aiohttp.ClientSession") == ["net/session_backend.py"]


def test_only_the_network_layer_uses_exceptions_of_aiohttp() -> None:
    for path, part, tree in MODULES:
        if part in ("net", "emulator"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("aiohttp.Client"):
                assert ast.unparse(node) == "aiohttp.ClientSession", f"{path}:{node.lineno}: {ast.unparse(node)}"


def test_no_file_has_more_than_400_lines() -> None:
    for path, _, _ in MODULES:
        if path == "ibm_boto3/type_defs.py":  # generated, to be looked up in and not to be read
            continue
        assert len((ROOT / path).read_text().splitlines()) <= 400, path
