"""Texts of fields, and signatures with plain types.

`help()`, the reference and the command line show them. A field is described where it is declared, by the string literal under
it:

    max_keys: Annotated[int | None, Query("max-keys")] = None
    '''Entries per page, 1 to 1,000. None means 1,000.'''

Python drops these literals, so they are read from the source, on demand: neither `import aiocos` nor a call pays for it.
In a program that is shipped without its sources the texts are missing, and everything else works.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import typing
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, SupportsIndex, TypeVar, get_args, get_origin

T = TypeVar("T")

_WIDTH = 110


def field_texts(cls: type[Any]) -> dict[str, str]:
    """Return the texts of the fields of a class, by the field's name.

    Fields of base classes are included, fields without a text are not.
    """
    texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        texts.update(_texts_in(owner.__module__).get(owner.__qualname__, {}))
    return texts


@cache
def _texts_in(module: str) -> dict[str, dict[str, str]]:
    """Return the texts of all classes of a module, by the class's qualified name."""
    if module.partition(".")[0] != "aiocos":
        return {}
    source = _source_of(module)
    found: dict[str, dict[str, str]] = {}
    if source is not None:
        _collect(ast.parse(source), "", found)
    return found


def _source_of(module: str) -> str | None:
    try:
        return inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return None


def _collect(node: ast.Module | ast.ClassDef, prefix: str, found: dict[str, dict[str, str]]) -> None:
    for inner in node.body:
        if isinstance(inner, ast.ClassDef):
            found[prefix + inner.name] = _texts_of(inner.body)
            _collect(inner, f"{prefix}{inner.name}.", found)


def _texts_of(body: list[ast.stmt]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(literal))),
            ):
                texts[name] = inspect.cleandoc(literal)
            case _:
                pass
    return texts


def with_arguments(summary: str, texts: Mapping[str, str], heading: str = "Args") -> str:
    """Return a docstring: a text, and a section `Args:` (or another heading).

    The section has the parameters that have a text, in the given order.
    """
    lines = [_argument(name, text) for name, text in texts.items() if text]
    return "\n".join([inspect.cleandoc(summary), *(["", f"{heading}:", *lines] if lines else [])]).strip()


def _argument(name: str, text: str) -> str:
    plain = " ".join(text.split())
    return textwrap.fill(
        f"{name}: {plain}",
        _WIDTH,
        initial_indent="    ",
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )


class LazyDocstring(str):
    """A class's docstring that gets the texts of its fields when it is read.

    Assigned to `__doc__` of a class: `help()` shows it, and the texts are written once, under the fields. As a text it is the
    docstring that the source has.
    """

    __slots__ = ("_heading", "_owner")

    def __new__(cls, summary: str, heading: str, owner: type[Any]) -> LazyDocstring:
        """Make the docstring of `owner`."""
        made = super().__new__(cls, summary)
        made._heading, made._owner = heading, owner
        return made

    def __get__(self, instance: object, owner: type[Any]) -> str:
        """Return the complete docstring."""
        fields = getattr(owner, "model_fields", None) or getattr(owner, "__dataclass_fields__", {})
        texts = {name: text for name, text in field_texts(owner).items() if name in fields}
        return with_arguments(str(self), texts, self._heading)

    def expandtabs(self, tabsize: SupportsIndex = 8) -> str:
        """Return the complete docstring, for pydoc.

        pydoc takes the docstring of a pydantic model without `__get__`, and cleans it, which begins with this.
        """
        return self.__get__(None, self._owner).expandtabs(tabsize)


def complete_docstring(cls: type[Any], heading: str) -> None:
    """Let the docstring of a class end with the texts of its fields, below a heading."""
    cls.__doc__ = LazyDocstring(vars(cls).get("__doc__") or "", heading, cls)


def summary_of(cls: type[Any]) -> str:
    """Return the docstring of a class without the texts of its fields."""
    # str() of a `LazyDocstring` is the text in the source.
    return inspect.cleandoc(str(vars(cls).get("__doc__") or ""))


def with_field_texts(heading: str) -> Callable[[type[T]], type[T]]:
    """Decorate a class: its docstring ends with the texts of its fields.

    `heading` is the title above the texts: `Args` or `Attributes`. Put the decorator above `@dataclass`, which makes another
    class if there are slots.
    """

    def complete(cls: type[T]) -> type[T]:
        complete_docstring(cls, heading)
        return cls

    return complete


# ---------------------------------------------------------------------------------------------------------------------
# Signatures


def signature_of(op: type[Any], result: Any) -> inspect.Signature:
    """Return the signature of a method whose parameters are the fields of a class.

    Types are plain, without `Annotated`. A class's own keyword parameters come first, then those of its mix-ins in the order in
    which it names them.
    """
    hints = typing.get_type_hints(op)
    parameters = [
        parameter.replace(annotation=hints.get(parameter.name, parameter.annotation))
        for parameter in inspect.signature(op).parameters.values()
    ]
    declared = [name for owner in op.__mro__ for name in inspect.get_annotations(owner)]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters.sort(key=lambda p: (p.kind is keyword, declared.index(p.name) if p.kind is keyword else 0))
    return inspect.Signature(parameters, return_annotation=result)


def result_of(function: Callable[..., Any]) -> Any:
    """Return the type of what calling or awaiting a function gives.

    For a function that returns a `Coroutine[…, T]`, this is `T`.
    """
    result = typing.get_type_hints(function).get("return", Any)
    return get_args(result)[2] if _is_coroutine_type(result) else result


def returns_coroutine(function: Callable[..., Any]) -> bool:
    """Return True if a call of a function gives a coroutine.

    Decided by the definition (`async def`), else by the annotation, which is not evaluated.
    """
    if inspect.iscoroutinefunction(function):
        return True
    annotation = getattr(function, "__annotations__", {}).get("return")
    return annotation.startswith("Coroutine[") if isinstance(annotation, str) else _is_coroutine_type(annotation)


def _is_coroutine_type(annotation: Any) -> bool:
    return get_origin(annotation) is Coroutine
