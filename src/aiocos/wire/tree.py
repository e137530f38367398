"""The XML parser, which turns a document into nested dictionaries.

It follows the plan of the document's model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from aiocos.wire.limits import LimitExceeded, check_limits
from aiocos.wire.text import XmlError
from aiocos.wire.unknown import check_depth, local_name, namespace_of, to_text

if TYPE_CHECKING:
    from aiocos.wire.document import Entry, Plan

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def parse(data: bytes, plan: Plan) -> dict[str, Any]:
    """Return the fields of a document.

    Raises `XmlError` if the document is not well-formed, or exceeds a limit of `aiocos.wire.limits`.
    """
    if b"\0" in data:
        raise XmlError("not well-formed XML: a zero byte, or not UTF-8")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise XmlError("a document type definition is not accepted")
    # White space may come first: the service sends it to keep the connection of a long copy or completion open.
    data = data.lstrip()
    try:
        check_limits(data)
        root = ElementTree.fromstring(data, ElementTree.XMLParser(encoding="utf-8"))
        local = local_name(root.tag)
        if local.lower() == "html":
            # The page of a gateway (status 200) would read as a document without elements: an empty listing.
            raise XmlError("a web page, not a document of the service")
        return _read(root, plan)
    except LimitExceeded as error:
        raise XmlError(f"not a document of the service: {error}") from error
    except XmlError:
        raise
    except (ElementTree.ParseError, ValueError) as error:
        raise XmlError(f"not well-formed XML: {error}") from error


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
    """Read all children of an element: those without a field are kept as text."""
    by_name, namespace, unknown = plan.by_name, namespace_of(element.tag), list[str]()
    for child in element:
        name = local_name(child.tag)
        entry = by_name.get(name)
        if entry is None:
            unknown.append(to_text(child, namespace))
        elif entry.item is not None:
            _read_wrapper(child, entry, entry in plan.elements, out, unknown)
        elif entry.model is None and len(child):
            # A field of text whose element has children: an unknown form.
            unknown.append(to_text(child, namespace))
        elif entry.many:
            out.setdefault(entry.field, []).append(_value(child, entry))
        elif entry.field in out:
            unknown.append(to_text(child, namespace))
        elif (value := _value(child, entry)) is not None:
            out[entry.field] = value
    if unknown:
        if plan.closed:
            raise XmlError(f"an unknown element would be lost: {unknown[0][:200]}")
        out["unknown_elements"] = unknown


def _read_wrapper(
    element: ElementTree.Element, entry: Entry, is_written: bool, out: dict[str, Any], unknown: list[str]
) -> None:
    """Read the items inside a wrapper.

    Other elements are unknown, and are kept inside this wrapper.
    """
    namespace, item = namespace_of(element.tag), entry.item
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
            text = to_text(inner, namespace)
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
