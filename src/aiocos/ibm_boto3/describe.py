"""Descriptions of methods: the text of an operation, and of each of its parameters.

The texts are the string literals under the fields of the operation in the source. They are read when `help()` or an editor asks
for them, never for a call.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from aiocos.ibm_boto3 import inputs, names
from aiocos.wire.document import Document
from aiocos.wire.spec import Operation

_NAME = re.compile(r"`(\w+)(?=[`=])")
_EXAMPLE = re.compile(r"\n\nExamples?:.*?(?=\n\n\S|\Z)", re.DOTALL)


def class_text(cls: type[Any]) -> str:
    """Return the docstring of a class, without indentation."""
    return inspect.cleandoc(cls.__doc__ or "")


def operation_text(cls: type[Operation[Any]]) -> str:
    """Return what an operation does, with the parameter names of `ibm_boto3`, without the typed client's example."""
    text = _EXAMPLE.sub("", class_text(cls))
    return _renamed(text, {p.name: names.of_parameter(p) for p in cls.spec.parameters})


def member_texts(cls: type[Document]) -> dict[str, str]:
    """Return the text of each field of a document by the field's name, with the member names of `ibm_boto3` in the text."""
    renames = {field: names.of_field(cls, field) for field in cls.model_fields}
    return {field: _renamed(text, renames) for field, text in field_texts(cls).items() if field in renames}


def _renamed(text: str, renames: dict[str, str]) -> str:
    return _NAME.sub(lambda found: f"`{renames.get(found[1], found[1])}", text)


def field_texts(cls: type[Any]) -> dict[str, str]:
    """Return the text of each field of a class by the field's name, inherited fields included."""
    texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith("aiocos."):
            texts.update(_texts_in(owner.__module__).get(owner.__qualname__, {}))
    return texts


def parameter_texts(cls: type[Operation[Any]]) -> dict[str, str]:
    """Return the text of each parameter of an operation's method; empty for a parameter without one."""
    members, texts = inputs.input_members(cls.spec), field_texts(cls)
    renames = {member.field: name for name, member in members.items()}
    return {
        name: _renamed(texts.get(members[name].field, ""), renames) if name in members else inputs.OTHER_TEXTS[name]
        for name in inputs.input_names(cls.spec)
    }


def method_text(cls: type[Operation[Any]]) -> str:
    """Return the docstring of an operation's method: what it does, and an entry for each parameter."""
    entries = [
        textwrap.fill(f"{name}: {' '.join(text.split())}", 100, initial_indent="    ", subsequent_indent=" " * 8)
        for name, text in parameter_texts(cls).items()
    ]
    return "\n".join([operation_text(cls), "", "Args:", *entries])


@cache
def _texts_in(module: str) -> dict[str, dict[str, str]]:
    """Return the texts of all classes of a module. `inspect.getsource` would parse the module once for each class."""
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
