"""Text in XML: escaping, and the characters that XML cannot carry."""

import re

_ESCAPED = re.compile('[&<>\r"\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


class XmlError(ValueError):
    """The XML cannot be read or written; the message says where and why."""


def unrepresentable(text: str) -> bool:
    """Return True if XML 1.0 cannot carry a text."""
    return _FORBIDDEN.search(text) is not None


def replace_unrepresentable(text: str) -> str:
    """Replace the characters that XML cannot carry by U+FFFD.

    For messages about a key that contains such characters.
    """
    return _FORBIDDEN.sub("\ufffd", text)


def escape(text: str) -> str:
    """Escape a text for XML. Raise `XmlError` if XML cannot carry it."""
    if _ESCAPED.search(text) is None:
        return text
    if found := _FORBIDDEN.search(text):
        raise XmlError(f"XML cannot carry the character U+{ord(found.group()):04X} at index {found.start()} of {text!r}")
    return _ESCAPED.sub(lambda m: _ESCAPES[m.group()], text)


def attribute(text: str) -> str:
    """Escape a text for an attribute.

    Line breaks and tabs are escaped as well: parsers turn those in attributes into spaces.
    """
    return escape(text).replace("\n", "&#10;").replace("\t", "&#9;")


def normalize_line_breaks(text: str) -> str:
    """Return a text as an XML parser reads it: every form of line break becomes `\\n`.

    Servers that write keys without escaping `\\r` return them changed so.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")
