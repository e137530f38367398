"""Python source as text: docstrings, keyword parameters, imports."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 128


@dataclass(frozen=True)
class Member:
    """A parameter of a method, or a key of a TypedDict."""

    name: str
    type: str
    required: bool
    text: str = ""


def docstring(text: str, indent: int = 4) -> str:
    """Return a docstring statement for a text; nothing for an empty text."""
    if not text:
        return ""
    pad = " " * indent
    lines = _wrapped(text, WIDTH - indent)
    if len(lines) == 1 and len(lines[0]) + 6 + indent <= WIDTH and not lines[0].endswith('"'):
        return f'{pad}"""{_escaped(lines[0])}"""\n'
    body = "\n".join(f"{pad}{line}" if line else "" for line in map(_escaped, lines))
    return f'{pad}"""{body.lstrip()}\n{pad}"""\n'


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _wrapped(text: str, width: int) -> list[str]:
    """Wrap what is too long: a paragraph of prose as a whole, any other line (an example, a list) by itself."""
    out: list[str] = []
    for paragraph in re.split(r"\n{2,}", text):
        lines = paragraph.splitlines()
        room = width if out else width - 3
        if any(len(line) > room for line in lines) and not any(re.match(r"\s|[*-] |\d+\. |\w+:$", line) for line in lines):
            lines = textwrap.wrap(" ".join(lines), width - 3, break_long_words=False, break_on_hyphens=False)
        out += ["", *_wrapped_lines(lines, width, first=not out)]
    return out[1:]


def _wrapped_lines(lines: list[str], width: int, *, first: bool) -> list[str]:
    out: list[str] = []
    for n, line in enumerate(lines):
        room = width - (3 if first and n == 0 else 0)
        margin = " " * (len(line) - len(line.lstrip()))
        more = margin + ("    " if margin else "")
        out += textwrap.wrap(
            line, room, initial_indent="", subsequent_indent=more, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return out


def arguments_text(summary: str, members: Iterable[Member]) -> str:
    """Return a docstring: the summary, and an `Args:` section with the parameters that have a text."""
    lines = [f"    {m.name}: {' '.join(m.text.split())}" for m in members if m.text]
    return "\n".join([summary, *(["", "Args:", *lines] if lines else [])]).strip()


def parameters(members: Iterable[Member]) -> str:
    """Return keyword-only parameters, those that are required first: `*, Bucket: str, Prefix: str = ...`."""
    ordered = sorted(members, key=lambda m: not m.required)
    taken = [f", {m.name}: {m.type}{'' if m.required else ' = ...'}" for m in ordered]
    return ", *" * bool(taken) + "".join(taken)


def method(name: str, members: list[Member], result: str, text: str, *, prefix: str = "async def") -> str:
    """Return a method of a class with keyword-only parameters."""
    return f"    {prefix} {name}(self{parameters(members)}) -> {result}:\n{body(arguments_text(text, members), 8)}"


def body(text: str, indent: int) -> str:
    """Return the body of a function of a stub: its docstring, or `...` if it has none."""
    return docstring(text, indent) or f"{' ' * indent}...\n"


def typed_dict(name: str, members: Iterable[Member], text: str) -> str:
    """Return a TypedDict whose optional keys are `NotRequired`."""
    out = [f"class {name}(TypedDict):\n", docstring(text)]
    for m in sorted(members, key=lambda m: (not m.required, m.name == "UnknownElements")):
        out.append(f"    {m.name}: {m.type if m.required else f'NotRequired[{m.type}]'}\n")
        out.append(docstring(m.text))
    return "".join(out) + ("" if len(out) > 2 or text else "    pass\n")


def names_in(source: str) -> set[str]:
    """Return all names that a source reads; strings are read too, since annotations may be quoted."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def imports(body: str, homes: dict[str, Iterable[str]]) -> str:
    """Return imports of those names of each module that a body uses; `""` as a name imports the module itself."""
    used, out = names_in(body), list[str]()
    for module, names in homes.items():
        if found := sorted(set(names) & used):
            out.append(f"from {module} import {', '.join(found)}\n")
    return "".join(out)


def in_order(classes: dict[str, str]) -> list[str]:
    """Return the sources of classes, each after those that it refers to: annotations are evaluated when a class is made."""
    done: dict[str, str] = {}

    def enter(name: str) -> None:
        if name not in done:
            for other in sorted(names_in(classes[name]) & classes.keys() - {name}):
                enter(other)
            done[name] = classes[name]

    for name in classes:
        enter(name)
    return list(done.values())


def prefixed(source: str) -> str:
    """Write names of `type_defs` with their module: a stub uses hundreds of them."""
    return re.sub(r"(?<![\w.])(?:\w+TypeDef|ReadableFile|WritableFile)\b", lambda found: f"type_defs.{found[0]}", source)
