"""Documents: pydantic models that are written and read as XML.

One codec serves every document of the service, both ways, driven by a plan made from a model's fields at its first use.

Reading is ElementTree, then pydantic: the tree becomes nested dictionaries of strings and one validation turns them into
typed objects. Namespaces and the name of the root are not looked at, because the service and its documentation vary in both.

Writing is our own, for two reasons that were measured: ElementTree writes the key `a\\rb` so that any parser reads `a\\nb`
(a bulk delete would hit another key), and writes `\\x01` so that nobody can parse the whole batch. Here a carriage return is
written as `&#13;`, and what XML 1.0 cannot carry at all is refused (`unrepresentable` asks beforehand).

A document with a DOCTYPE is refused before it is parsed. The parser is told that the bytes are UTF-8 whatever the document
declares, so looking for the bytes `<!DOCTYPE` is a sound test; only UTF-16 would it recognise all the same, and every document
in UTF-16 has a zero byte, which no document in UTF-8 has.
"""

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin
from xml.etree import ElementTree

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from aiocos.wire.limits import LimitExceeded, check_limits
from aiocos.wire.text import XmlError, attribute, escape, sayable, unrepresentable
from aiocos.wire.unknown import UnknownElements, check_depth, in_wrapper, local_name, namespace_of, to_text

__all__ = [
    "NAMESPACE",
    "Attribute",
    "Document",
    "Element",
    "Elsewhere",
    "Extensible",
    "Text",
    "Timestamp",
    "XmlError",
    "build",
    "parse_time",
    "pascal",
    "plan_of",
    "read_tree",
    "root_of",
    "sayable",
    "told",
    "unrepresentable",
    "unwrap",
    "write_time",
]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

D = TypeVar("D", bound="Document")


# ---------------------------------------------------------------------------------------------------------------------
# Where a field stands in the XML. Without a mark: an element named as the field, in PascalCase.


@dataclass(frozen=True, slots=True)
class Element:
    """A child element of another name; `Outer/Inner` is a list whose items `Inner` stand inside one `Outer`.

    `also` is a second form that is read and not written, for where services and documentation differ. Its `Inner` may be `*`.
    `model` is what is read where the field's type is a base of it.
    """

    name: str
    also: str = ""
    model: "type[Document] | None" = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the document's own element, with its prefix: `xsi:type`."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """The text of the document's own element."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """All child elements that no other field stands for."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Not in the XML. Places of the wire (headers) are subclasses of this."""


def parse_time(value: object) -> object:
    """Read the time forms of the service: ISO 8601, its compact form `20260101T000000Z`, and RFC 1123."""
    if not isinstance(value, str) or not value:
        return value
    if not value[0].isdigit():
        return _read_rfc1123(value)
    if "-" not in value:
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return value


_MONTHS = {
    "Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06",
    "Jul": "07", "Aug": "08", "Sep": "09", "Oct": "10", "Nov": "11", "Dec": "12",
}  # fmt: skip


def _read_rfc1123(value: str) -> datetime:
    # `Fri, 20 Nov 2026 10:00:00 GMT` is what servers write; a parser of all forms takes several times as long.
    if len(value) == 29 and value.endswith(" GMT"):
        try:
            return datetime.fromisoformat(f"{value[12:16]}-{_MONTHS[value[8:11]]}-{value[5:7]}T{value[17:25]}+00:00")
        except (KeyError, ValueError):
            pass
    return parsedate_to_datetime(value)


def write_time(value: datetime) -> str:
    """Write ISO 8601 in UTC, with milliseconds only where there are any."""
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds") + "Z"


def _zoned(value: datetime) -> datetime:
    # `-0000` and a missing zone both mean UTC here; a naive time could not be compared with any other.
    # The zone of pydantic is one of its own; the usual one is equal to it, and what other readers of times give.
    return value if value.tzinfo is UTC else value.replace(tzinfo=UTC) if not value.utcoffset() else value


Timestamp = Annotated[datetime, BeforeValidator(parse_time), AfterValidator(_zoned)]
"""A moment, with a time zone, in any form the service writes."""


class Document(BaseModel):
    """A model with an XML form. `root` is the element's name (the class's own if empty)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    root: ClassVar[str] = ""
    namespace: ClassVar[str] = NAMESPACE
    closed: ClassVar[bool] = False  # refuse elements that no field stands for, where they would be lost

    def to_xml(self) -> bytes:
        """Write the document; `XmlError` where a text holds what XML cannot carry."""
        cls = type(self)
        plan = plan_of(cls)
        out = ['<?xml version="1.0" encoding="UTF-8"?>\n']
        xmlns = f' xmlns="{cls.namespace}"' if cls.namespace else ""
        _write(out, cls.root or cls.__name__, self, plan, xmlns)
        return "".join(out).encode()

    @classmethod
    def from_xml(cls: type[D], data: bytes) -> D:
        """Read the document, whatever its root and namespace are called; `XmlError` where it cannot be."""
        return build(cls, read_tree(cls, data))


def root_of(cls: type[Document]) -> str:
    """Return the name of a document's root element."""
    return cls.root or cls.__name__


class Extensible(Document):
    """A document that keeps the elements it does not know; see `aiocos.wire.unknown` for the rule."""

    unknown_elements: Annotated[UnknownElements, Unknown()] = ()
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """

    def __repr_args__(self) -> "Iterable[tuple[str | None, Any]]":
        """Leave the field out where it is empty: few documents have such elements."""
        own = [(name, value) for name, value in super().__repr_args__() if name != "unknown_elements"]
        return [*own, ("unknown_elements", self.unknown_elements)] if self.unknown_elements else own


# ---------------------------------------------------------------------------------------------------------------------
# The plan of a model


@dataclass(slots=True)
class Entry:
    """How one field is read and written."""

    field: str
    name: str  # the element's local name, or the attribute's
    item: str | None = None  # the inner element's name of a wrapped list
    many: bool = False
    model: "Plan | None" = None
    text: bool = True  # an empty element means "" (for a str) rather than nothing


@dataclass(slots=True)
class Plan:
    """The fields of a model by the place they stand in."""

    elements: list[Entry] = field(default_factory=list[Entry])
    attributes: list[Entry] = field(default_factory=list[Entry])
    text: Entry | None = None
    by_name: dict[str, Entry] = field(default_factory=dict[str, Entry])
    keeps: bool = False  # elements that no entry stands for
    closed: bool = False  # refuses such elements


_plans: dict[type[Document], Plan] = {}
_unfinished: dict[type[Document], Plan] = {}
_planning = threading.RLock()


def plan_of(cls: type[Document]) -> Plan:
    """Return the plan of a model, made at its first use."""
    plan = _plans.get(cls)
    if plan is not None:
        return plan
    with _planning:
        plan = _plans.get(cls) or _unfinished.get(cls)
        if plan is None:
            # A model may contain itself: it is found here while it is planned, and by other threads when it is done.
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
        mark = next((m for m in info.metadata if isinstance(m, Element | Attribute | Text | Elsewhere | Unknown)), None)
        if isinstance(mark, Unknown):
            plan.keeps = True
            continue
        if isinstance(mark, Elsewhere):
            continue
        entry = _entry(name, mark, info.annotation)
        if isinstance(mark, Text):
            plan.text = entry
        elif isinstance(mark, Attribute):
            plan.attributes.append(entry)
        else:
            plan.elements.append(entry)
            if entry.name in plan.by_name:
                raise TypeError(f"{cls.__name__}: two fields stand in <{entry.name}>")
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
    """`next_key_marker` → `NextKeyMarker`."""
    return "".join(word.capitalize() for word in name.split("_"))


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def read_tree(cls: type[Document], data: bytes, roots: Collection[str] | None = None) -> dict[str, Any]:
    """Read XML into the nested dictionaries that `build` validates.

    `roots` are the names that the root element may have; None takes any. `XmlError` for another document, for one that is not
    well-formed, and for one that is larger or deeper than any of the service (see `aiocos.wire.limits`).
    """
    if b"\0" in data:
        raise XmlError("not well-formed XML: a zero byte, or not UTF-8")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise XmlError("a document type definition is not accepted")
    # White space may come first: it is how the service keeps the connection of a long copy or completion open.
    data = data.lstrip()
    try:
        check_limits(data)
        root = ElementTree.fromstring(data, ElementTree.XMLParser(encoding="utf-8"))
        local = local_name(root.tag)
        if local.lower() == "html":
            # A gateway's page with a status of 200 would be a document without any of its elements: an empty listing.
            raise XmlError("a web page, and no document of the service")
        if roots is not None and local not in roots:
            raise XmlError(f"another document: its root is {local[:80]!r}, and not {' or '.join(roots)}")
        return _read(root, plan_of(cls))
    except LimitExceeded as error:
        raise XmlError(f"no document of the service: {error}") from error
    except XmlError:
        raise
    except (ElementTree.ParseError, ValueError) as error:
        raise XmlError(f"not well-formed XML: {error}") from error


def build(cls: type[D], values: dict[str, Any]) -> D:
    """Validate what was read; `XmlError` names the first place that does not fit."""
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        raise XmlError(f"{cls.__name__}: {told(error)}") from error
    except ValueError as error:  # of older versions of pydantic, for a time in the year 0
        raise XmlError(f"{cls.__name__}: {error}") from error


# Of pydantic's messages, those that come up; what is not here is given as pydantic words it, which is one line as well.
_TOLD = {
    "missing": "is missing",
    "string_type": "is a text",
    "int_type": "is a whole number",
    "int_parsing": "is a whole number",
    "bool_type": "is true or false",
    "bool_parsing": "is true or false",
    "datetime_type": "is a time",
    "datetime_parsing": "is a time",
    "datetime_from_date_parsing": "is a time",
    "list_type": "is a list",
    "dict_type": "is a dictionary",
    "extra_forbidden": "is no field of this document",
}


def told(error: ValidationError) -> str:
    """Say in one line what the first thing is that does not fit, and where."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(p) for p in first["loc"]) or "document"
    kind, value = first["type"], first.get("input")
    if kind == "literal_error":
        what = f"is {first.get('ctx', {}).get('expected', 'another value')}"
    elif kind in ("model_type", "model_attributes_type"):
        what = f"is a {first.get('ctx', {}).get('class_name', 'document')}"
    else:
        what = _TOLD.get(kind) or first["msg"].removeprefix("Value error, ")
    shown = "" if kind == "missing" or not isinstance(value, str | int | float) else f", not {str(value)[:80]!r}"
    return f"{place}: {what}{shown}"


def _read(element: ElementTree.Element, plan: Plan) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if plan.keeps or plan.closed:
        _read_all(element, plan, out)
        return _read_own(element, plan, out)
    by_name = plan.by_name
    for child in element:
        tag = child.tag
        entry = by_name.get(tag[tag.rfind("}") + 1 :])
        if entry is None:
            if len(child):
                check_depth(child)
            continue
        if entry.item is not None:
            item = entry.item
            values = [_value(inner, entry) for inner in child if item in ("*", inner.tag[inner.tag.rfind("}") + 1 :])]
            if entry.many:
                out[entry.field] = values
            elif values:
                out[entry.field] = values[0]
        elif entry.many:
            out.setdefault(entry.field, []).append(_value(child, entry))
        elif (value := _value(child, entry)) is not None:
            out[entry.field] = value
    return _read_own(element, plan, out)


def _read_all(element: ElementTree.Element, plan: Plan, out: dict[str, Any]) -> None:
    """Read the children of a document that loses none of them."""
    by_name, home, unknown = plan.by_name, namespace_of(element.tag), list[str]()
    for child in element:
        name = local_name(child.tag)
        entry = by_name.get(name)
        if entry is None:
            unknown.append(to_text(child, home))
        elif entry.item is not None:
            _read_wrapper(child, entry, entry in plan.elements, out, unknown)
        elif entry.model is None and len(child):
            # A text that holds elements is none that we know.
            unknown.append(to_text(child, home))
        elif entry.many:
            out.setdefault(entry.field, []).append(_value(child, entry))
        elif entry.field in out:
            unknown.append(to_text(child, home))
        elif (value := _value(child, entry)) is not None:
            out[entry.field] = value
    if unknown:
        if plan.closed:
            raise XmlError(f"an element that is not known would be lost: {unknown[0][:200]}")
        out["unknown_elements"] = unknown


def _read_wrapper(
    element: ElementTree.Element, entry: Entry, is_written: bool, out: dict[str, Any], unknown: list[str]
) -> None:
    """Read the items inside a wrapper; what is no item is unknown, and belongs into the same wrapper."""
    home, item = namespace_of(element.tag), entry.item
    if entry.many:
        out.setdefault(entry.field, [])
    for inner in element:
        if item not in ("*", local_name(inner.tag)) or (entry.model is None and len(inner)):
            known = False
        elif entry.many:
            out[entry.field].append(_value(inner, entry))
            known = True
        elif known := entry.field not in out:
            out[entry.field] = _value(inner, entry)
        if not known:
            text = to_text(inner, home)
            unknown.append(f"{entry.name}/{text}" if is_written else f"<{entry.name}>{text}</{entry.name}>")


def _read_own(element: ElementTree.Element, plan: Plan, out: dict[str, Any]) -> dict[str, Any]:
    """Read the attributes and the text of an element."""
    for entry in plan.attributes:
        local = entry.name.rpartition(":")[2]
        value = element.get(f"{{{XSI}}}{local}", element.get(local))
        if value is not None:
            out[entry.field] = value
    if plan.text is not None:
        out[plan.text.field] = (element.text or "").strip()
    return out


def _value(element: ElementTree.Element, entry: Entry) -> Any:
    if entry.model is not None:
        return _read(element, entry.model)
    text = element.text or ""
    if entry.text:
        return text
    return text.strip() or None


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
