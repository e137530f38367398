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


def test_importing_the_client_loads_all_that_requests_need():
    """A module that is imported by the first request would block the event loop."""
    before = loaded("from aiocos import Client")
    code = """
from aiocos import Client, Anonymous
import asyncio
async def main():
    async with Client("http://127.0.0.1:1", credentials=Anonymous()) as cos:
        cos.objects, cos.website, cos.upload
        try: await cos.objects.read("b", "k", timeout=0.01)
        except Exception: pass
asyncio.run(main())
""".strip()
    after = loaded(f"exec({code!r})")
    assert {name for name in after - before if name.startswith(("aiocos", "aiohttp", "pydantic."))} == set()


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
