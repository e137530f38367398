"""Names of unfinished downloads are recognized."""

import os
import secrets

from hypothesis import given, settings
from hypothesis import strategies as st

from aiocos.transfer.journal import journal_id
from aiocos.transfer.reserved_names import hidden_name, is_reserved


@settings(max_examples=50)
@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_what_a_download_keeps_beside_its_target_is_reserved(name: str):
    """The names are made in one place and known in the same; with another form of either this fails."""
    for tag in (secrets.token_hex(4), journal_id(name)[:12]):
        file = hidden_name(name, tag)
        assert is_reserved(file)
        assert is_reserved(f"x/{file.removesuffix('.part')}.journal")


def test_names_of_unfinished_downloads():
    assert hidden_name("file", "0123abcd") == ".file.0123abcd.part"
    assert hidden_name("x" * 60, "0123abcd") == "." + "x" * 50 + ".0123abcd.part"
    assert len(os.fsencode(hidden_name("\U0001f600" * 60, "0123456789ab"))) <= 255
    assert is_reserved("a/.f.0123abcd.part/b")
    assert not is_reserved("." + "x" * 51 + ".0123abcd.part")
    assert not is_reserved("a/f.0123abcd.part")
