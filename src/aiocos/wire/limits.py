"""Limits for XML documents: bytes, elements, depth and attributes.

A document comes from outside, and its tree takes a hundred times as much memory as its bytes: 15 MB of `<a><a>…` made five
million elements, took 1.4 GB, and blocked the event loop for half a minute, partly to free the tree again. The documents of the
service are shallow and have a few thousand elements.

Measuring every document would make parsing take half as long again. So the bytes `<` and the quotation marks are counted first,
which takes microseconds: a document with few of them makes a small tree, whatever its structure, and is not measured. All other
documents are parsed once without building anything, up to the first limit that is exceeded. Only then is the tree built.
"""

from typing import Any
from xml.parsers import expat

MAX_BYTES = 32 * 1024 * 1024
"""Most bytes of a document. A page of 1,000 keys of the greatest length, wholly percent-encoded, has 3 MB."""

MAX_DEPTH = 64
"""Deepest nesting of elements. The documents of the service have six levels."""

MAX_ELEMENTS = 1_000_000
"""Most elements of a document. A page of 1,000 versions has 13,000; a list of buckets (not paged) has three per bucket."""

MAX_ATTRIBUTES = 64
"""Most attributes of one element. The documents of the service have one."""

# A document with at most so many is not measured: at worst its tree has a few megabytes and takes a few milliseconds.
_FEW_TAGS = 32_768
_FEW_QUOTES = 32_768

# Bytes per step of the parser, and the longest tag: the parser buffers an incomplete tag and scans it again in every step.
_STEP = 64 * 1024


class LimitExceeded(ValueError):
    """A document is larger or deeper than any document of the service."""


def check_limits(data: bytes) -> None:
    """Raise `LimitExceeded` if the tree of a document would be too large.

    `data` is UTF-8 without a document type definition. A document that is not well-formed passes: the parser reports that.
    """
    if len(data) > MAX_BYTES:
        raise LimitExceeded(f"{len(data):,} bytes, more than {MAX_BYTES:,}")
    if data.count(b"<") > _FEW_TAGS or data.count(b'"') + data.count(b"'") > _FEW_QUOTES:
        _measure(data)


def _measure(data: bytes) -> None:
    """Parse a document without building a tree.

    Stops at the first limit that is exceeded, and raises `LimitExceeded`.
    """
    depth = elements = 0

    def start(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"elements nested more than {MAX_DEPTH} deep")
        if elements > MAX_ELEMENTS:
            raise LimitExceeded(f"more than {MAX_ELEMENTS:,} elements")
        if len(attributes) > MAX_ATTRIBUTES:
            raise LimitExceeded(f"an element with more than {MAX_ATTRIBUTES} attributes")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser: Any = expat.ParserCreate("utf-8")
    # Newer versions of expat defer incomplete tokens; each step must be parsed at once to be measured.
    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(False)
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        for position in range(0, len(data), _STEP):
            parser.Parse(data[position : position + _STEP], False)
            if position - parser.CurrentByteIndex > _STEP:
                raise LimitExceeded(f"a tag of more than {_STEP:,} bytes")
    except expat.ExpatError:
        # The parse that builds the tree will report this error.
        return
