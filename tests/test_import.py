"""`import aiocos` loads nothing until a name is used, and every public name can be imported."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aiocos


def loaded(code: str) -> set[str]:
    """Return the names of the modules that a fresh interpreter has loaded after running `code`."""
    out = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(out.stdout.split())


def test_the_import_alone_loads_neither_libraries_nor_operations():
    found = loaded("import aiocos")
    assert not found & {"aiohttp", "pydantic", "aiocos.client", "aiocos.operations"}


def test_errors_load_without_the_client():
    found = loaded("from aiocos import NoSuchKey")
    assert not found & {"aiohttp", "aiocos.client"}


CLIENT = "from aiocos import Client, Anonymous; cos = Client('http://127.0.0.1:1', credentials=Anonymous())"
PARTS = ("aiocos.operations.", "aiocos.groups.", "aiocos.transfer.requests", "aiocos.transfer.results", "aiocos.transfer.sync.")


def test_a_client_loads_the_nouns_and_transfers_when_they_are_used():
    found = loaded(CLIENT)
    assert {name for name in found if name.startswith(PARTS)} == set()
    # What is slow to import is there before the event loop runs.
    assert {"aiohttp", "pydantic.main", "aiocos.call", "aiocos.wire.bind"} <= found


@pytest.mark.parametrize(
    ("use", "modules"),
    [
        ("cos.cors", {"groups.cors", "operations.cors", "operations.shared"}),
        ("cos.website.put", {"groups.website", "operations.website", "operations.shared"}),
        ("cos.buckets.create", {"groups.buckets", "operations.buckets", "operations.shared"}),
        (
            "cos.objects.put",
            {f"operations.{name}" for name in ("objects", "object_info", "shared", "listing", "entries")} | {"groups.objects"},
        ),
    ],
)
def test_a_noun_loads_only_its_own_operations(use: str, modules: set[str]):
    found = {name.removeprefix("aiocos.") for name in loaded(f"{CLIENT}; {use}")}
    assert {name for name in found if name.startswith(("operations.", "groups."))} == modules


def test_a_noun_that_was_used_loads_nothing_but_its_own_modules_later():
    """The event loop waits while a noun is loaded, so that happens once, and not at the first request as well."""
    code = """
import asyncio
async def main():
    async with cos:
        try: await cos.objects.read("b", "k", timeout=0.01)
        except Exception: pass
asyncio.run(main())
""".strip()
    before, after = loaded(f"{CLIENT}; cos.objects.read"), loaded(f"{CLIENT}; cos.objects.read; exec({code!r})")
    assert {name for name in after - before if name.startswith(("aiocos", "aiohttp", "pydantic."))} == set()


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_command_line_describes_itself_without_the_client(arguments: list[str]):
    code = f"import sys; sys.argv = ['aiocos', *{arguments}]; from aiocos.cli import main\ntry: main()\nexcept SystemExit: pass"
    found = loaded(f"exec({code!r})")
    assert not found & {"aiohttp", "pydantic", "asyncio", "aiocos.client"}
    assert ("typer" in found) is (arguments == ["--help"])


def test_checkers_and_the_import_system_find_every_name_in_the_same_module():
    tree = ast.parse(Path(aiocos.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    declared = {name.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert declared == aiocos._HOME
    assert sorted(declared) == sorted(aiocos.__all__)
    for name in aiocos.__all__:
        assert getattr(aiocos, name) is not None
    assert set(aiocos.__all__) <= set(dir(aiocos))


def test_every_error_is_exported():
    from aiocos import errors

    found = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.CosError)}
    assert len(found) > 40
    assert found <= set(aiocos.__all__)


@pytest.mark.parametrize("name", ["NoSuchKeyy", "no_such_thing"])
def test_a_misspelled_name_is_an_error(name: str):
    # `tests/typing/misuse.py` has the same for type checkers.
    with pytest.raises(ImportError):
        exec(f"from aiocos import {name}")
    with pytest.raises(AttributeError):
        getattr(aiocos, name)


def test_the_module_hides_its_getattr_from_checkers():
    """A module `__getattr__` makes mypy and pyright accept any name. They read only the branch of TYPE_CHECKING."""
    tree = ast.parse(Path(aiocos.__file__).read_text())
    for node in tree.body:
        assert not (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
        if isinstance(node, ast.If):
            assert not any(isinstance(one, ast.FunctionDef) for one in node.body)
