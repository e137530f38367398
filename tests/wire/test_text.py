"""Tests of `aiocos.wire.text`: escaping, and characters that XML cannot carry."""

from __future__ import annotations

import pytest

from aiocos.wire.text import XmlError, attribute, escape, replace_unrepresentable, unrepresentable

NEVER = ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x0e", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"]
CARRIED = ["\t", "\n", "\r", " ", "\x7f", "\ud7ff", "\ue000", "\ufffd", "\U00010000", "\U0010ffff"]


@pytest.mark.parametrize("character", NEVER, ids=ascii)
def test_unrepresentable_characters_are_refused(character: str) -> None:
    text = f"ab{character}c"
    assert unrepresentable(text)
    assert replace_unrepresentable(text) == "ab\ufffdc"
    with pytest.raises(XmlError, match=rf"U\+{ord(character):04X} at index 2 of"):
        escape(text)
    with pytest.raises(XmlError):
        attribute(text)


@pytest.mark.parametrize("character", CARRIED, ids=ascii)
def test_representable_characters(character: str) -> None:
    assert not unrepresentable(character)
    assert replace_unrepresentable(character) == character


def test_escaping() -> None:
    assert escape("plain\n\t'") == "plain\n\t'"
    assert escape("&<>\"\r'\n\t") == "&amp;&lt;&gt;&quot;&#13;'\n\t"
    assert attribute("&<>\"\r'\n\t") == "&amp;&lt;&gt;&quot;&#13;'&#10;&#9;"
