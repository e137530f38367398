"""Documents: pydantic models with an XML form.

One codec reads and writes all documents of the service. It follows a plan that is made from a model's fields at the first use.

Reading (`tree`) uses ElementTree, then pydantic: the tree becomes nested dictionaries of strings, and one validation makes
typed objects of them. Namespaces and the name of the root element are ignored here, because the service and its documentation
vary in both; `strict` checks that a response belongs to its request.

Writing does not use ElementTree, for two measured reasons. It writes the key `a\\rb` so that every parser reads `a\\nb`, and a
bulk deletion would delete another key; and it writes `\\x01`, so that no parser can read the whole batch. The writer here
writes a carriage return as `&#13;`, and refuses characters that XML 1.0 cannot carry (`unrepresentable` finds them before).

A document with a DOCTYPE is refused before it is parsed. The parser decodes the bytes as UTF-8, whatever the document declares,
so that a search for the bytes `<!DOCTYPE` is a sound test. The one exception is UTF-16, which the parser detects all the same;
but every document in UTF-16 has a zero byte, and no document in UTF-8 has one.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from aiocos.describe import complete_docstring
from aiocos.wire.brief import brief
from aiocos.wire.text import XmlError, attribute, escape, replace_unrepresentable, unrepresentable
from aiocos.wire.times import Timestamp, parse_time, write_time
from aiocos.wire.tree import XSI, parse
from aiocos.wire.unknown import UnknownElements, in_wrapper
from aiocos.wire.validation import describe_validation_error

__all__ = [
    "NAMESPACE",
    "Attribute",
    "Document",
    "Element",
    "Extensible",
    "NotInXml",
    "Text",
    "Timestamp",
    "XmlError",
    "build",
    "describe_validation_error",
    "parse_time",
    "pascal",
    "plan_of",
    "read_tree",
    "replace_unrepresentable",
    "root_of",
    "unrepresentable",
    "unwrap",
    "write_time",
]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

D = TypeVar("D", bound="Document")


# ---------------------------------------------------------------------------------------------------------------------
# The form of a field in XML. Without a mark: an element whose name is the field's in PascalCase.


@dataclass(frozen=True, slots=True)
class Element:
    """A child element whose name does not follow from the field."""

    name: str
    """Name of the element. `Outer/Inner` is a list: one element `Outer`, with an element `Inner` for each item."""
    also: str = ""
    """A second name that is read but not written, where services and documentation differ. Its `Inner` may be `*`."""
    model: "type[Document] | None" = None
    """Model to read, where it is a subclass of the field's type."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the document's own element."""

    name: str
    """Name with its prefix: `xsi:type`."""


@dataclass(frozen=True, slots=True)
class Text:
    """The text of the document's own element."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """All child elements without a field of their own."""


@dataclass(frozen=True, slots=True)
class NotInXml:
    """A field that is not in the XML. Header locations are subclasses of this."""


class Document(BaseModel):
    """A model with an XML form."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    root: ClassVar[str] = ""
    """Name of the root element. Empty: the name of the class."""
    namespace: ClassVar[str] = NAMESPACE
    """Namespace that is written; empty for none."""
    closed: ClassVar[bool] = False
    """True refuses elements without a field, because they would be lost when the document is written back."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Let the docstring of a document end with the texts of its fields."""
        complete_docstring(cls, "Attributes")

    def to_xml(self) -> bytes:
        """Return the document as XML.

        Raises `XmlError` if a text contains a character that XML cannot carry.
        """
        cls = type(self)
        plan = plan_of(cls)
        out = ['<?xml version="1.0" encoding="UTF-8"?>\n']
        xmlns = f' xmlns="{cls.namespace}"' if cls.namespace else ""
        _write(out, cls.root or cls.__name__, self, plan, xmlns)
        return "".join(out).encode()

    @classmethod
    def from_xml(cls: type[D], data: bytes) -> D:
        """Parse XML into the document.

        The name and the namespace of the root element are ignored.

        Args:
            data: The XML.

        Raises:
            XmlError: The XML is not well-formed, or does not fit the document.
        """
        return build(cls, read_tree(cls, data))

    def __repr_args__(self) -> "Iterable[tuple[str | None, Any]]":
        """Show the fields that are set, and the first entries of long lists."""
        return brief(super().__repr_args__())


def root_of(cls: type[Document]) -> str:
    """Return the name of a document's root element."""
    return cls.root or cls.__name__


class Extensible(Document):
    """A document that keeps unknown elements; see `aiocos.wire.unknown`."""

    unknown_elements: Annotated[UnknownElements, Unknown()] = ()
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """

    def __repr_args__(self) -> "Iterable[tuple[str | None, Any]]":
        """Leave the field out if it is empty: few documents have unknown elements."""
        own = [(name, value) for name, value in super().__repr_args__() if name != "unknown_elements"]
        return [*own, ("unknown_elements", self.unknown_elements)] if self.unknown_elements else own


# ---------------------------------------------------------------------------------------------------------------------
# The plan of a model


@dataclass(slots=True)
class Entry:
    """The form of one field in XML."""

    field: str
    """Name of the field."""
    name: str
    """Local name of the element, or name of the attribute."""
    item: str | None = None
    """Name of the inner element of a wrapped list; None for all other fields."""
    many: bool = False
    """True for a list."""
    model: "Plan | None" = None
    """Plan of the document in the element; None for text."""
    text: bool = True
    """True if an empty element means "" (for a str), not None."""


@dataclass(slots=True)
class Plan:
    """The fields of a model, by their form in XML."""

    elements: list[Entry] = field(default_factory=list[Entry])
    """Fields that are elements, in the order in which they are written."""
    attributes: list[Entry] = field(default_factory=list[Entry])
    """Fields that are attributes."""
    text: Entry | None = None
    """Field that is the text of the element; None without one."""
    by_name: dict[str, Entry] = field(default_factory=dict[str, Entry])
    """Fields by the name of their element, second names included."""
    keeps: bool = False
    """True keeps elements without an entry as text."""
    closed: bool = False
    """True refuses elements without an entry."""


_plans: dict[type[Document], Plan] = {}
_unfinished: dict[type[Document], Plan] = {}
_planning = threading.RLock()


def plan_of(cls: type[Document]) -> Plan:
    """Return the plan of a model. It is made at the first use."""
    plan = _plans.get(cls)
    if plan is not None:
        return plan
    with _planning:
        plan = _plans.get(cls) or _unfinished.get(cls)
        if plan is None:
            # A model may contain itself: recursive calls find the unfinished plan, other threads wait for the finished one.
            plan = _unfinished[cls] = Plan()
            try:
                _fill(plan, cls)
            finally:
                del _unfinished[cls]
            _plans[cls] = plan
    return plan


def _fill(plan: Plan, cls: type[Document]) -> None:
    others: dict[str, Entry] = {}
    plan.closed = cls.closed
    for name, info in cls.model_fields.items():
        mark = next((m for m in info.metadata if isinstance(m, Element | Attribute | Text | NotInXml | Unknown)), None)
        if isinstance(mark, Unknown):
            plan.keeps = True
            continue
        if isinstance(mark, NotInXml):
            continue
        entry = _entry(name, mark, info.annotation)
        if isinstance(mark, Text):
            plan.text = entry
        elif isinstance(mark, Attribute):
            plan.attributes.append(entry)
        else:
            plan.elements.append(entry)
            if entry.name in plan.by_name:
                raise TypeError(f"{cls.__name__}: two fields use the element <{entry.name}>")
            plan.by_name[entry.name] = entry
            if isinstance(mark, Element) and mark.also:
                outer, _, item = mark.also.partition("/")
                others[outer] = replace(entry, name=outer, item=item or None)
    plan.by_name = others | plan.by_name


def _entry(name: str, mark: Element | Attribute | Text | None, annotation: Any) -> Entry:
    kind = unwrap(annotation)
    many = get_origin(kind) in (list, tuple)
    inner = unwrap(get_args(kind)[0]) if many else kind
    wire = mark.name if isinstance(mark, Element | Attribute) else pascal(name)
    outer, _, item = wire.partition("/")
    if isinstance(mark, Element) and mark.model is not None:
        inner = mark.model
    return Entry(
        field=name,
        name=outer,
        item=item or None,
        many=many,
        model=plan_of(inner) if isinstance(inner, type) and issubclass(inner, Document) else None,
        text=inner is str or get_origin(inner) is Literal,
    )


def unwrap(annotation: Any) -> Any:
    """Strip `| None` and `Annotated` from a type."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            rest = [a for a in get_args(annotation) if a is not NoneType]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


def pascal(name: str) -> str:
    """Return a name in PascalCase: `next_key_marker` → `NextKeyMarker`."""
    return "".join(word.capitalize() for word in name.split("_"))


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def read_tree(cls: type[Document], data: bytes) -> dict[str, Any]:
    """Parse XML into the nested dictionaries that `build` validates.

    Raises `XmlError` if the document is not well-formed, or exceeds the limits of `aiocos.wire.limits`.
    """
    return parse(data, plan_of(cls))


def build(cls: type[D], values: dict[str, Any]) -> D:
    """Validate parsed values.

    Raises `XmlError`, which names the first value that does not fit.
    """
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        raise XmlError(f"{cls.__name__}: {describe_validation_error(error)}") from error
    except ValueError as error:  # older versions of pydantic, for a time in the year 0
        raise XmlError(f"{cls.__name__}: {error}") from error


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return write_time(value)
    return escape(str(value))


def _write(out: list[str], name: str, document: Document, plan: Plan, xmlns: str = "") -> None:
    attributes = xmlns
    for entry in plan.attributes:
        value = getattr(document, entry.field)
        if value is not None:
            prefix = f' xmlns:xsi="{XSI}"' if entry.name.startswith("xsi:") else ""
            attributes += f'{prefix} {entry.name}="{attribute(value if isinstance(value, str) else _scalar(value))}"'
    out.append(f"<{name}{attributes}>")
    if plan.text is not None and (text := getattr(document, plan.text.field)) is not None:
        out.append(_scalar(text))
    for entry in plan.elements:
        value = getattr(document, entry.field)
        if value is None:
            continue
        if not entry.many:
            _write_one(out, entry.name, value, entry)
            continue
        if entry.item is not None:
            out.append(f"<{entry.name}>")
        for item in value:
            _write_one(out, entry.item or entry.name, item, entry)
        if entry.item is not None:
            if plan.keeps:
                out.extend(_inside(document, entry.name))
            out.append(f"</{entry.name}>")
    if plan.keeps:
        _write_unknown(out, document, plan)
    out.append(f"</{name}>")


def _unknown(document: Document) -> tuple[str, ...]:
    return document.unknown_elements if isinstance(document, Extensible) else ()


def _inside(document: Document, wrapper: str) -> list[str]:
    return [text[len(wrapper) + 1 :] for text in _unknown(document) if in_wrapper(text) == wrapper]


def _write_unknown(out: list[str], document: Document, plan: Plan) -> None:
    written = {e.name for e in plan.elements if e.item is not None and getattr(document, e.field) is not None}
    for text in _unknown(document):
        wrapper = in_wrapper(text)
        if not wrapper:
            out.append(text)
        elif wrapper not in written:
            out.append(f"<{wrapper}>{text[len(wrapper) + 1 :]}</{wrapper}>")


def _write_one(out: list[str], name: str, value: Any, entry: Entry) -> None:
    if entry.model is not None:
        _write(out, name, value, entry.model)
    else:
        out.append(f"<{name}>{_scalar(value)}</{name}>")
