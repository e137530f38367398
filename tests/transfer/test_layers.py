"""No wing of `transfer` imports another one, except that `sync` transfers files with the three others."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import aiocos.transfer

ROOT = Path(aiocos.transfer.__file__).parent
WINGS = {"upload", "download", "copy", "sync"}
ALLOWED = {"upload": set[str](), "download": set[str](), "copy": set[str](), "sync": {"upload", "download", "copy"}}
ABOVE = {"__init__", "manager"}
"""Modules beside the wings that may import them."""
PATHS = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return what a module imports of `transfer`: names of wings, and of modules beside them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aiocos.transfer"):
            segments = (node.module or "").split(".")[2:]
            names |= {segments[0]} if segments else {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_imports(path: Path):
    wing = path.parts[0] if len(path.parts) > 1 else ""
    if wing:
        assert imported(path) & WINGS <= ALLOWED[wing] | {wing}
        assert not imported(path) & ABOVE
    elif path.stem not in ABOVE:
        assert not imported(path) & (WINGS | ABOVE)


def test_modules_beside_the_wings_have_no_circle():
    modules = {path.stem: imported(path) - WINGS - ABOVE for path in PATHS if len(path.parts) == 1 and path.stem not in ABOVE}
    while modules:
        free = {name for name, needs in modules.items() if not needs & modules.keys()}
        assert free, f"these import each other: {modules}"
        modules = {name: needs for name, needs in modules.items() if name not in free}
