"""Who may import whom, read from the source: an arrow that is not drawn here fails.

::

    cli  ibm_boto3  integrations  emulator
          |                       |
        client                    |
          |                       |
       transfer                   |
          |                       |
        groups                    |
          |                       |
         call                     |
          |                       |
    written  refusal              |
        /    \\                    |
      auth    |                   |
        |     |                   |
       net    |                   |
        |     |                   |
        |  operations  <----------+
        |     |                   |
        +-> wire  <---------------+
              |
        config, errors
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import aiocos

ROOT = Path(aiocos.__file__).parent

_BASE = {"errors", "config", "version"}
_STATED = _BASE | {"wire", "operations"}
_NET = _BASE | {"wire", "net"}
_CALL = _STATED | {"net", "auth"}
# What the nouns are made of besides calls: reading, listing, waiting …
_HELPERS = {"delete_many", "integrity", "object_stream", "paging", "update_metadata", "waiting"}

# Each part of the package, and the parts it may import besides itself.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "version": set(),
    "config": {"errors"},
    "wire": _BASE - {"version"},
    "operations": _BASE - {"version"} | {"wire"},
    "net": _NET,
    "auth": _NET,
    "response_errors": _BASE - {"version"} | {"wire"},
    "write_check": _STATED | {"net", "response_errors"},
    "call": _CALL | {"write_check", "response_errors"},
    "waiting": _BASE,
    "paging": _STATED | {"call", "net", "response_errors"},
    "integrity": _STATED | {"call", "net"},
    "object_stream": _STATED | {"call", "net", "integrity", "response_errors"},
    "update_metadata": _STATED | {"call", "net", "response_errors"},
    "delete_many": _STATED | {"call", "net"},
    "groups": _CALL | _HELPERS | {"call", "response_errors"},
    "transfer": _STATED | _HELPERS | {"net", "call", "groups", "write_check"},
    "client": _CALL | {"call", "groups", "transfer"},
    "emulator": _STATED,
    "__init__": _CALL | {"client", "transfer"},
    "integrations": {"__init__", "client", "config", "emulator"},
    "cli": _STATED | _HELPERS | {"__init__", "auth", "call", "client", "groups", "transfer", "emulator"},
    "ibm_boto3": _STATED | _HELPERS | {"auth", "call", "client", "groups", "net", "response_errors", "transfer"},
    "__main__": {"cli"},
}
# Single modules that may more, and why.
MORE = {
    "emulator/__init__.py": ({"client"}, "hands out clients of itself"),
}
LAZY = {"emulator/__init__.py"}

_THIRD_PARTY = {"aiohttp", "aiofiles", "pydantic"}
_ALSO = {
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
            assert node.level == 0, "relative imports hide their arrow"
            if node.module == "aiocos":
                for alias in node.names:
                    inner = (ROOT / alias.name).exists() or (ROOT / f"{alias.name}.py").exists()
                    yield f"aiocos.{alias.name}" if inner else "aiocos", node
            else:
                yield node.module or "", node


def _part(name: str) -> str | None:
    """The part of the package that a module belongs to; None where it is none of ours."""
    if name == "aiocos":
        return "__init__"
    return name.split(".")[1] if name.startswith("aiocos.") else None


MODULES = list(_modules())


@pytest.mark.parametrize(("path", "part", "tree"), MODULES, ids=[path for path, _, _ in MODULES])
def test_imports_go_down(path: str, part: str, tree: ast.Module) -> None:
    assert part in ALLOWED, f"{part} has no floor"
    may = ALLOWED[part] | {part} | MORE.get(path, (set(), ""))[0]
    for name, node in _imports(tree):
        target = _part(name)
        assert target is None or target in may, f"{path}:{node.lineno}: {part} imports {target}"


@pytest.mark.parametrize("path", sorted(LAZY))
def test_an_exception_is_imported_where_it_is_used(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    more = MORE[path][0]
    at_import = [
        _part(name) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name, _ in _imports(node)
    ]
    assert not more & set(at_import)


def test_other_packages_are_few() -> None:
    import sys

    for path, part, tree in MODULES:
        for name, node in _imports(tree):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top == "aiocos":
                continue
            assert top in _THIRD_PARTY | _ALSO.get(part, set()), f"{path}:{node.lineno}: {part} imports {top}"


@pytest.mark.parametrize("part", ["errors", "config", "wire", "operations"])
def test_the_lower_floors_do_not_wait(part: str) -> None:
    for path, owner, tree in MODULES:
        if owner != part:
            continue
        for node in ast.walk(tree):
            waits = isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.AsyncFunctionDef)
            assert not waits, f"{path}: {type(node).__name__}"
        for name, _ in _imports(tree):
            assert name.partition(".")[0] not in {"aiohttp", "asyncio", "time", "aiofiles"}, f"{path} imports {name}"


def _calls(name: str) -> list[str]:
    """Where the library calls something of this dotted name, as it is written."""
    return [
        path
        for path, part, tree in MODULES
        if part != "emulator"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]


def test_sleeps_and_sessions_have_their_places() -> None:
    assert _calls("asyncio.sleep") == ["net/retry.py", "waiting.py"]
    assert _calls("aiohttp.ClientSession") == ["net/session_backend.py"]


def test_the_exceptions_of_aiohttp_are_named_in_one_floor() -> None:
    for path, part, tree in MODULES:
        if part in ("net", "emulator"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("aiohttp.Client"):
                assert ast.unparse(node) == "aiohttp.ClientSession", f"{path}:{node.lineno}: {ast.unparse(node)}"


def test_files_are_short() -> None:
    for path, _, _ in MODULES:
        if path == "ibm_boto3/type_defs.py":  # generated, to be looked up in and not to be read
            continue
        assert len((ROOT / path).read_text().splitlines()) <= 400, path
