"""Writes the types of `aiocos.ibm_boto3` for type checkers, from the operations that the client itself is made of.

    python docs/stubs/write.py            # write the files; formats them with ruff
    python docs/stubs/write.py --check    # name the files that are not current, and end with status 1

The files are `type_defs.py` and a `.pyi` beside each module whose methods are made at runtime. Formatting makes no difference
to `--check`: it compares syntax trees.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import client
import paging
import resources
import type_defs
from annotations import Structures

import aiocos.ibm_boto3

PACKAGE = Path(str(aiocos.ibm_boto3.__file__)).parent

FILES: dict[str, Callable[[Structures], str]] = {
    "type_defs.py": type_defs.write,
    "client.pyi": client.write,
    "paginate.pyi": paging.write_paginators,
    "waiters.pyi": paging.write_waiters,
    "resource/classes.pyi": resources.write_classes,
    "resource/collection.pyi": resources.write_collection,
    "resource/service.pyi": resources.write_service,
}


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare only; status 1 if a file is not current")
    check: bool = parser.parse_args().check
    structures, stale = Structures(), list[str]()
    for name, write in FILES.items():
        path, source = PACKAGE / name, write(structures)
        if not path.exists() or _tree(path.read_text()) != _tree(source):
            stale.append(name)
            if not check:
                path.write_text(source)
    if check:
        for name in stale:
            print(f"{name} is not current: run `python docs/stubs/write.py`")
        return 1 if stale else 0
    paths = [str(PACKAGE / name) for name in FILES]
    subprocess.run([sys.executable, "-m", "ruff", "check", "-q", "--fix", "--select", "I", *paths], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", *paths], check=True)
    print(f"written: {', '.join(stale) or 'nothing, all files are current'}")
    return 0


def _tree(source: str) -> str:
    """Return the syntax tree of a source as text, without positions, the order of imports and the indentation of texts."""
    imports, body = set[str](), list[str]()
    for node in ast.parse(source).body:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                inner.value = inspect.cleandoc(inner.value)
        if isinstance(node, ast.ImportFrom):
            imports |= {f"{node.module} {ast.unparse(name)}" for name in node.names}
        else:
            body.append(ast.dump(node))
    return "\n".join(sorted(imports) + body)


if __name__ == "__main__":
    sys.exit(main())
