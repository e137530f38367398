"""Unknown elements: child elements without a field, kept as XML text.

The rule of this library: **a document that can be written back keeps unknown elements; a document that is only read (a page of
a listing, the result of a copy) ignores them.** A setting of a bucket is always replaced as a whole. A program that reads a
lifecycle, adds a rule and writes it back must not remove an element that is newer than this library.

Three kinds of elements are kept: elements without a field, repetitions of an element that may occur once, and elements of a
text field that have children. Each is one text, in the order of the document; they are written after the known elements. An
unknown element inside a wrapper (`<RoutingRules>`) starts with the name of the wrapper: `RoutingRules/<Other/>`.

The text is normalized, whatever prefixes, comments and entities the document had, so that documents with equal unknown elements
are equal. An element in the namespace of its parent has no declaration: it takes the namespace of the document into which it is
written, as known elements do.
"""

import re
from typing import Annotated
from xml.etree import ElementTree

from pydantic import AfterValidator

from aiocos.wire.limits import MAX_DEPTH, LimitExceeded, check_limits
from aiocos.wire.text import attribute, escape

_XML = "http://www.w3.org/XML/1998/namespace"
_WRAPPED = re.compile(r"[\w.-]+/<")


def local_name(tag: str) -> str:
    """Return the name of an element without its namespace."""
    return tag[tag.rfind("}") + 1 :]


def namespace_of(tag: str) -> str:
    """Return the namespace of an element; "" if it has none."""
    return tag[1 : tag.rfind("}")] if tag[0] == "{" else ""


def check_depth(element: ElementTree.Element) -> None:
    """Raise `LimitExceeded` if the elements within an element are nested too deeply."""
    level = [element]
    for _ in range(MAX_DEPTH):
        level = [child for one in level for child in one]
        if not level:
            return
    raise LimitExceeded(f"elements nested more than {MAX_DEPTH} deep")


def to_text(element: ElementTree.Element, parent_namespace: str) -> str:
    """Return an element as normalized XML text.

    The namespace of the parent is not declared in the text.
    """
    check_depth(element)
    out: list[str] = []
    _write(out, element, parent_namespace)
    return "".join(out)


def _write(out: list[str], element: ElementTree.Element, parent_namespace: str) -> None:
    name, namespace = local_name(element.tag), namespace_of(element.tag)
    out.append(f"<{name}" if namespace == parent_namespace else f'<{name} xmlns="{attribute(namespace)}"')
    for number, (key, value) in enumerate(sorted(element.items())):
        space = namespace_of(key)
        if not space:
            prefix = ""
        elif space == _XML:
            prefix = "xml:"
        else:
            prefix = f"n{number}:"
            out.append(f' xmlns:n{number}="{attribute(space)}"')
        out.append(f' {prefix}{local_name(key)}="{attribute(value)}"')
    if len(element) or element.text:
        out.append(">")
        out.append(escape(element.text or ""))
        for child in element:
            _write(out, child, namespace)
            out.append(escape(child.tail or ""))
        out.append(f"</{name}>")
    else:
        out.append("/>")


def in_wrapper(text: str) -> str:
    """Return the name of the wrapper around an unknown element.

    Empty if the element is a child of the document itself.
    """
    return text.partition("/")[0] if _WRAPPED.match(text) else ""


def _check(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_normalize, texts))


def _normalize(text: str) -> str:
    """Return the normalized form of the text of an element.

    Raises `ValueError` if the text is not exactly one element.
    """
    wrapper = in_wrapper(text)
    content = text[len(wrapper) + 1 :] if wrapper else text
    data = f"<_>{content.strip()}</_>".encode()
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("a document type definition is not accepted")
    check_limits(data)
    try:
        outer = ElementTree.fromstring(data, ElementTree.XMLParser(encoding="utf-8"))
    except ElementTree.ParseError as error:
        raise ValueError(f"{text[:80]!r} is not an XML element: {error}") from error
    if len(outer) != 1 or outer.text or outer[0].tail:
        raise ValueError(f"{text[:80]!r} is not one XML element")
    normalized = to_text(outer[0], "")
    return f"{wrapper}/{normalized}" if wrapper else normalized


UnknownElements = Annotated[tuple[str, ...], AfterValidator(_check)]
"""Elements without a field, each as XML text."""
