"""Text in XML: what has to be escaped, and what XML cannot carry at all."""

import re

_SPECIAL = re.compile('[&<>\r"\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


class XmlError(ValueError):
    """The bytes are not the document they should be; the text says where and why."""


def unrepresentable(text: str) -> bool:
    """Tell whether XML 1.0 has no way to carry this text."""
    return _NEVER.search(text) is not None


def sayable(text: str) -> str:
    """Replace what XML cannot carry: for messages about a key, which must come through even where the key cannot."""
    return _NEVER.sub("\ufffd", text)


def escape(text: str) -> str:
    """Escape a text for XML; `XmlError` where XML cannot carry it."""
    if _SPECIAL.search(text) is None:
        return text
    if found := _NEVER.search(text):
        raise XmlError(f"XML cannot carry the character U+{ord(found.group()):04X} at index {found.start()} of {text!r}")
    return _SPECIAL.sub(lambda m: _ESCAPES[m.group()], text)


def attribute(text: str) -> str:
    """Escape a text for an attribute: a parser makes a space of a line break or tab that stands there as it is."""
    return escape(text).replace("\n", "&#10;").replace("\t", "&#9;")


def normalize_line_breaks(text: str) -> str:
    """Return a text as an XML parser reads it: every form of line break becomes `\\n`.

    Servers that write keys without escaping `\\r` return them changed so.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")
