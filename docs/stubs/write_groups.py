"""Writes the stubs of `aiocos/groups/*.py` and `aiocos/transfer/manager.py`, for editors and type checkers.

    python docs/stubs/write_groups.py            # write the files; formats them with ruff
    python docs/stubs/write_groups.py --check    # name the files that are not current, and end with status 1

Formatting makes no difference to `--check`: it compares syntax trees.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import subprocess
import sys

import groups


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare only; status 1 if a file is not current")
    check: bool = parser.parse_args().check
    stale: list[str] = []
    for module in groups.modules():
        path, source = groups.path_of(module), groups.write(module)
        if not path.exists() or _tree(path.read_text()) != _tree(source):
            stale.append(str(path.relative_to(groups.PACKAGE)))
            if not check:
                path.write_text(source)
    if check:
        for name in stale:
            print(f"{name} is not current: run `python docs/stubs/write_groups.py`")
        return 1 if stale else 0
    paths = [str(groups.path_of(module)) for module in groups.modules()]
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
