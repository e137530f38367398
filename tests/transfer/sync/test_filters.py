"""Patterns of names."""

import fnmatch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aiocos.errors import ConfigError
from aiocos.transfer.sync.filters import Filter, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "meant", "not_meant"),
    [
        ("*.tmp", ["a.tmp", "d/a.tmp", "d/e/.tmp", "x.tmp/below"], ["a.tmpx", "tmp", "a.tm/p"]),
        ("node_modules", ["node_modules", "a/node_modules", "a/node_modules/b/c"], ["node_modules2", "my_node_modules"]),
        ("build/", ["build", "a/build/x"], ["builder", "a/rebuild"]),
        ("docs/*.md", ["docs/a.md", "docs/a.md/below"], ["docs/b/a.md", "x/docs/a.md", "docs/a.mdx"]),
        ("docs/**/*.md", ["docs/a.md", "docs/b/a.md", "docs/b/c/a.md"], ["a.md", "x/docs/a.md"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["docs2/a", "x/docs/a"]),
        ("/top", ["top", "top/below"], ["a/top"]),
        ("a?c", ["abc", "d/aüc"], ["a/c", "ac", "abbc"]),
        ("[ab]x", ["ax", "bx"], ["cx", "/x"]),
        ("[!ab]x", ["cx"], ["ax", "d/bx"]),
        ("[^ab]x", ["cx"], ["ax"]),
        ("[]]", ["]"], ["[", "a"]),
        ("[a-c-]", ["b", "-"], ["d"]),
        ("x[", ["x["], ["x"]),
        ("a.b", ["a.b"], ["aXb"]),
        ("**", ["a", "a/b"], []),
        ("./x/y", ["x/y"], ["y"]),
        ("././/x//y//", ["x/y", "x/y/z"], ["y", "z/x/y"]),
        ("tmp//", ["tmp", "tmp/x", "a/tmp/x/y"], ["tmpx", "a/tmpx"]),
        ("/tmp//", ["tmp", "tmp/x"], ["a/tmp/x", "tmpx"]),
        ("//tmp", ["tmp", "tmp/x"], ["a/tmp"]),
        ("a/**/", ["a/b", "a/b/c"], ["b", "ab/c"]),
        ("**/", ["a", "a/b"], []),
        ("a//b", ["a/b"], ["b", "a/x/b"]),
        ("a\nb", ["a\nb"], ["ab"]),
        (r"a\*", [r"a\b"], ["a*"]),
    ],
)
def test_what_patterns_mean(pattern: str, meant: list[str], not_meant: list[str]):
    found = compile_pattern(pattern)
    assert [name for name in meant if not found.match(name)] == []
    assert [name for name in not_meant if found.match(name)] == []


@pytest.mark.parametrize("pattern", ["", "/", "//", "./", ".//", "[z-a]"])
def test_what_is_no_pattern(pattern: str):
    with pytest.raises(ConfigError, match="not a valid pattern"):
        Filter(include=[pattern])


def test_one_pattern_is_a_list_of_one():
    with pytest.raises(ConfigError, match=r"\['\*\.tmp'\]"):
        Filter(exclude="*.tmp")


def test_exclusion_wins_and_directories_without_hope_are_not_entered():
    wanted = Filter(include=["*.py", "docs"], exclude=["test_*", "build/out"])
    assert wanted.wants("a/b.py")
    assert wanted.wants("docs/any/thing")
    assert not wanted.wants("a/test_b.py")
    assert not wanted.wants("readme")
    assert not wanted.enters("test_dir")
    assert not wanted.enters("build/out")
    assert wanted.enters("build")
    assert wanted.enters("src"), "what is included may lie in it"


def test_slashes_in_a_row_count_as_one_in_names_too():
    """A key may have them, and whoever excludes it writes it as it is."""
    for pattern in ("a//b", "/a/b", "a/b", "**/b", "b"):
        assert not Filter(exclude=[pattern]).wants("a//b"), pattern
    assert not Filter(exclude=["/a"]).wants("//a")
    assert Filter(include=["a/b"]).wants("/a///b")
    assert Filter(exclude=["a/b"]).wants("a/x/b")


ODD = [
    "tmp//",
    "/tmp//",
    "a/**/",
    "a/**//",
    "**",
    "**/",
    "/**/",
    "*",
    "*/",
    "a/*",
    "a/?",
    "./a",
    ".//a//",
    "[!a]",
    "[!/]x",
    "a*b/",
]
NAMES = st.lists(st.sampled_from(["a", "b", "A", "ab", "x", "tmp", ".", "..", "*", ""]), min_size=1, max_size=4).map("/".join)
PATTERNS = st.one_of(
    st.sampled_from(ODD),
    st.lists(
        st.sampled_from(["", "a", "b", "tmp", "*", "**", "?", "[!x]", "[a]", ".", "a*", "*b", "**a", "a**"]), max_size=5
    ).map("/".join),
)


@settings(max_examples=1_000)
@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=2), NAMES, NAMES)
def test_a_directory_that_is_not_entered_has_nothing_that_is_wanted(
    exclude: list[str], include: list[str], directory: str, below: str
):
    try:
        wanted = Filter(include, exclude)
    except ConfigError:
        assume(False)
        return
    if not wanted.enters(directory):
        assert not wanted.wants(f"{directory}/{below}")
    if exclude and not wanted.wants(directory) and Filter((), exclude).wants(directory) is False:
        assert not wanted.wants(f"{directory}/{below}"), "what is excluded is excluded with all that lies below"


SEGMENT = st.text(st.sampled_from("ab*?[]!^-.&|~\\é\n"), min_size=1, max_size=6)


@given(
    SEGMENT.filter(lambda p: "**" not in p and p.strip(".") != "" and not p.startswith("[^")),
    st.text("ab-.!^]&|~\\é\n", max_size=4),
)
def test_within_a_segment_patterns_are_those_of_fnmatch(pattern: str, name: str):
    try:
        ours = compile_pattern(pattern).match(name) is not None
    except ConfigError:
        return
    assert ours == fnmatch.fnmatchcase(name, pattern)
