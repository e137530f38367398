"""Limits of the XML that is parsed: bytes, elements, depth, attributes.

A document comes from outside, and a tree of it costs a hundred times its bytes: 15 MB of `<a><a>…` made five million elements,
took 1.4 GB, and blocked the event loop for half a minute, part of it to destroy the tree again. The documents of the service
are shallow and have a few thousand elements.

Measuring every document would make every parse slower by half. So most documents are let through by three counts of single
bytes, which take microseconds: a document with few `<` and few quotation marks makes a small tree however it is built. All
others are parsed once without building anything, which ends at the first limit that is exceeded, and only then for the tree.
"""

from typing import Any
from xml.parsers import expat

MAX_BYTES = 32 * 1024 * 1024
"""Bytes of a document. A page of 1,000 keys, each as long as a key can be and all of it percent-encoded, has 3 MB."""

MAX_DEPTH = 64
"""Elements within each other. The documents of the service have six."""

MAX_ELEMENTS = 1_000_000
"""Elements of a document. A page of 1,000 versions has 13,000; a list of buckets, which has no pages, three for each."""

MAX_ATTRIBUTES = 64
"""Attributes of one element. The documents of the service have one."""

# A document with fewer of these is not measured: at worst it makes a tree of a few megabytes, in a few milliseconds.
_FEW_TAGS = 32_768
_FEW_QUOTES = 32_768

# What is fed at a time, and how long one tag may be: a longer one would be buffered and looked at anew with every step.
_STEP = 64 * 1024


class LimitExceeded(ValueError):
    """A document is larger or deeper than any of the service."""


def check_limits(data: bytes) -> None:
    """Raise `LimitExceeded` for a document that would make too large a tree; what is not well-formed is let through.

    `data` is UTF-8 without a document type definition.
    """
    if len(data) > MAX_BYTES:
        raise LimitExceeded(f"{len(data):,} bytes, more than {MAX_BYTES:,}")
    if data.count(b"<") > _FEW_TAGS or data.count(b'"') + data.count(b"'") > _FEW_QUOTES:
        _measure(data)


def _measure(data: bytes) -> None:
    """Parse a document without building anything of it, as far as the first limit that is exceeded."""
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
    # Newer versions put off a token that is not whole; each step has to be looked at when it comes.
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
        # The tree builder meets the same fault at the same place, and says what it is.
        return
