"""Texts of fields and parameters: the string literals under them in the source."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any


def field_texts(cls: type[Any]) -> dict[str, str]:
    """Return the text of each field of a class by the field's name, inherited fields included."""
    texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith("aiocos."):
            texts.update(_texts_in(owner.__module__).get(owner.__qualname__, {}))
    return texts


def class_text(cls: type[Any]) -> str:
    """Return the docstring of a class, without indentation."""
    return inspect.cleandoc(cls.__doc__ or "")


@cache
def _texts_in(module: str) -> dict[str, dict[str, str]]:
    """Return the texts of all classes of a module. The module is parsed once, which `inspect.getsource` would do per class."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text())
    return {node.name: _texts_of(node.body) for node in tree.body if isinstance(node, ast.ClassDef)}


def _texts_of(body: list[ast.stmt]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(literal))):
                texts[name] = inspect.cleandoc(literal)
            case _:
                pass
    return texts
