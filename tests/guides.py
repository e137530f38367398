"""Runs the Python of a guide: its blocks one after the other, with `await` at their top, as one program."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path) -> list[tuple[int, str]]:
    """The Python blocks of a page, each with the line before it."""
    text = path.read_text()
    return [(text.count("\n", 0, m.start(1)), m[1]) for m in _BLOCK.finditer(text)]


async def run_guide(path: Path, namespace: dict[str, Any]) -> int:
    """Run all blocks in one namespace, which holds what the guide takes as given; return how many there were."""
    found = blocks(path)
    for line, block in found:
        # Errors name the page and its line.
        code = compile("\n" * line + block, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        made = eval(code, namespace)
        if inspect.iscoroutine(made):
            await made
    return len(found)
