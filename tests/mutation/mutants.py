"""Find the places of a module where a small change should make a test fail.

A mutant is a module with one such change: a comparison turned around, a constant moved by one, a statement left out. Text that
only people read (docstrings, annotations, messages, logging) is left alone, since no test should depend on its words.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], tuple[str, type[ast.cmpop]]] = {
    ast.Lt: ("< → <=", ast.LtE),
    ast.LtE: ("<= → <", ast.Lt),
    ast.Gt: ("> → >=", ast.GtE),
    ast.GtE: (">= → >", ast.Gt),
    ast.Eq: ("== → !=", ast.NotEq),
    ast.NotEq: ("!= → ==", ast.Eq),
    ast.Is: ("is → is not", ast.IsNot),
    ast.IsNot: ("is not → is", ast.Is),
    ast.In: ("in → not in", ast.NotIn),
    ast.NotIn: ("not in → in", ast.In),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, type[ast.operator]]] = {
    ast.Add: ("+ → -", ast.Sub),
    ast.Sub: ("- → +", ast.Add),
    ast.Mult: ("* → /", ast.Div),
    ast.Div: ("/ → *", ast.Mult),
    ast.FloorDiv: ("// → *", ast.Mult),
    ast.Mod: ("% → *", ast.Mult),
    ast.BitAnd: ("& → |", ast.BitOr),
    ast.LShift: ("<< → >>", ast.RShift),
}
_LOGGING = {"debug", "info", "warning", "error", "exception"}


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One changed place of one module."""

    path: str
    """The module, relative to the source directory."""
    line: int
    """The line of the change, from 1."""
    number: int
    """The position among the mutants of the module."""
    change: str
    """The change in words, such as `< → <=`."""


def mutants_of(source: Path, path: str) -> list[Mutant]:
    """Return all mutants of a module."""
    tree = ast.parse((source / path).read_text(encoding="utf-8"))
    return [Mutant(path, line, number, change) for number, (line, change, _) in enumerate(_changes(tree))]


def mutated(source: Path, mutant: Mutant) -> str:
    """Return the text of a module with one change in it."""
    tree = ast.parse((source / mutant.path).read_text(encoding="utf-8"))
    for number, (_, _, apply) in enumerate(_changes(tree)):
        if number == mutant.number:
            apply()
            return ast.unparse(ast.fix_missing_locations(tree))
    raise LookupError(f"{mutant.path} has no mutant {mutant.number}")


def _changes(tree: ast.Module) -> Iterator[tuple[int, str, _Apply]]:
    """Give each possible change: its line, its description, and the function that makes it. Only one may be made."""
    for parent, field, index, node in _nodes(tree):
        yield from _of_node(parent, field, index, node)


class _Apply:
    """A change of the tree, made when called."""

    def __init__(self, parent: ast.AST, field: str, index: int | None, new: ast.AST) -> None:
        self._place = (parent, field, index, new)

    def __call__(self) -> None:
        parent, field, index, new = self._place
        if index is None:
            setattr(parent, field, new)
        else:
            getattr(parent, field)[index] = new


def _nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Walk a tree in order, leaving out what only people and type checkers read."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "type_comment", "decorator_list", "bases", "keywords") and not isinstance(
            tree, ast.Call
        ):
            continue
        values = value if isinstance(value, list) else [value]
        for index, node in enumerate(values):
            if not isinstance(node, ast.AST) or _is_for_people(tree, node):
                continue
            yield tree, field, index if isinstance(value, list) else None, node
            yield from _nodes(node)


def _is_for_people(parent: ast.AST, node: ast.AST) -> bool:
    """Tell whether a node is documentation, a message, a log call, a type or an import."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
        return True
    if isinstance(node, ast.Expr) and isinstance(call := node.value, ast.Call) and isinstance(call.func, ast.Attribute):
        return call.func.attr in _LOGGING and isinstance(call.func.value, ast.Name) and call.func.value.id.startswith("_log")
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("TypeVar", "cast", "field"):
        return True
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in ("Literal", "Callable"):
        return True
    names = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if any(isinstance(n, ast.Name) and n.id in ("__slots__", "__all__", "__match_args__") for n in names):
        return True
    # A type alias, or a field of a class without a default.
    return isinstance(node, ast.AnnAssign) and (node.value is None or "TypeAlias" in ast.unparse(node.annotation))


def _of_node(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> Iterator[tuple[int, str, _Apply]]:
    line: int = getattr(node, "lineno", getattr(parent, "lineno", 0))

    def change(text: str, new: ast.AST) -> tuple[int, str, _Apply]:
        return line, text, _Apply(parent, field, index, ast.copy_location(new, node) if hasattr(node, "lineno") else new)

    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in _COMPARISONS:
            text, kind = _COMPARISONS[type(op)]
            yield line, text, _Apply(node, "ops", 0, kind())
        case ast.BoolOp(op=ast.And()):
            yield line, "and → or", _Apply(node, "op", None, ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield line, "or → and", _Apply(node, "op", None, ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield change("not x → x", operand)
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC and not _is_text(node):
            text, kind = _ARITHMETIC[type(op)]
            yield line, text, _Apply(node, "op", None, kind())
        case ast.Constant(value=bool() as value):
            yield change(f"{value} → {not value}", ast.Constant(not value))
        case ast.Constant(value=int() | float() as value):
            yield change(f"{value} → {value + 1}", ast.Constant(value + 1))
        case ast.Constant(value=str() as value) if value and " " not in value and not isinstance(parent, ast.FormattedValue):
            yield change(f"{value[:20]!r} → another text", ast.Constant(f"XX{value}"))
        case ast.If(test=test) if not isinstance(test, ast.Compare | ast.UnaryOp):  # those are turned around themselves
            yield line, "if → if not", _Apply(node, "test", None, ast.UnaryOp(ast.Not(), test))
        case ast.IfExp(body=one, orelse=other):
            yield change("x if c else y → y if c else x", ast.IfExp(node.test, other, one))
        case ast.While(test=ast.expr()) if not isinstance(node.test, ast.Constant):
            yield line, "while → while not", _Apply(node, "test", None, ast.UnaryOp(ast.Not(), node.test))
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield change("return x → return None", ast.Return(ast.Constant(None)))
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield change("call left out", ast.Pass())
        case ast.Raise() if index is not None:
            yield change("raise left out", ast.Pass())
        case ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            text, kind = _ARITHMETIC[type(op)]
            yield line, f"{text} (assignment)", _Apply(node, "op", None, kind())
        case ast.Break():
            yield change("break → continue", ast.Continue())
        case ast.Continue():
            yield change("continue → break", ast.Break())
        case ast.Delete():
            yield change("del left out", ast.Pass())
        case _:
            pass


def _is_text(node: ast.BinOp) -> bool:
    """Tell whether an operation surely joins or formats text: `-` of texts fails wherever it is executed, and says nothing."""
    return any(isinstance(side, ast.JoinedStr) for side in (node.left, node.right))
