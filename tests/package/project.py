"""The declarations of pyproject.toml, and what the files of the repository import."""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]
SOURCE = ROOT / "src" / "aiocos"

_NAME = re.compile(r"[A-Za-z0-9._-]+")
# Functions whose first argument is the name of a module to import.
_IMPORTERS = {"import_module", "importorskip", "find_spec"}


def names_of(requirements: list[str]) -> set[str]:
    """Return the names of the packages in a list of requirements, without versions, markers and this package's own extras."""
    found = {match[0].lower() for line in requirements if (match := _NAME.match(line))}
    return found - {"aiocos"}


RUNTIME = names_of(PROJECT["dependencies"])
EXTRAS: dict[str, set[str]] = {name: names_of(lines) for name, lines in PROJECT["optional-dependencies"].items()}


def python_files(*places: Path) -> list[Path]:
    """Return the Python files among `places` and in the directories among them."""
    return [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))]


# Modules of this repository, which scripts import from beside them. A test of the command line writes and imports "late".
_OWN = {path.stem for path in python_files(ROOT / "tests", ROOT / "benchmarks", ROOT / "docs")} | {"aiocos", "tests", "late"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in _IMPORTERS and isinstance(node.args[0].value, str):
                yield node.args[0].value


@functools.cache
def _foreign(path: Path) -> frozenset[str]:
    names = {name.partition(".")[0] for name in _imports(path)}
    return frozenset(names - sys.stdlib_module_names - _OWN)


def imported_by(*places: Path) -> dict[str, list[Path]]:
    """Return the top-level modules of other projects that files import, each with the files that do."""
    found: dict[str, list[Path]] = {}
    for path in python_files(*places):
        for name in _foreign(path):
            found.setdefault(name, []).append(path)
    return found
