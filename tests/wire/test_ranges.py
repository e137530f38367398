"""Tests of `aiocos.wire.ranges`: requested ranges, returned ranges, and their comparison."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiocos.wire.ranges import ByteRange, ContentRange, Extent, size_in

_small = st.integers(0, 12)
_ranges = st.one_of(
    st.tuples(_small, st.none()).map(lambda pair: ByteRange(pair[0])),
    st.tuples(_small, _small).map(lambda pair: ByteRange(min(pair), max(pair))),
    _small.map(ByteRange.suffix),
)


@pytest.mark.parametrize(("first", "last"), [(None, None), (-1, None), (-1, 5), (5, 4), (None, -1), (1, 0)])
def test_an_invalid_range_is_refused(first: int | None, last: int | None):
    with pytest.raises(ValueError, match="range"):
        ByteRange(first, last)


@pytest.mark.parametrize(
    "text", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "byte=1-2", "bytes=5-4", "bytes=-1-2", "bytes=1"]
)
def test_an_invalid_range_header_is_refused(text: str):
    with pytest.raises(ValueError, match="range"):
        ByteRange.from_wire(text)


@given(_ranges)
@example(ByteRange(0, 0))
@example(ByteRange.suffix(0))
def test_a_range_is_written_and_read_back_equal(requested: ByteRange):
    assert ByteRange.from_wire(requested.to_wire()) == requested


@given(_ranges, st.integers(0, 10))
def test_a_range_selects_the_bytes_of_a_slice(requested: ByteRange, size: int):
    data = bytes(range(size))
    if requested.first is None:
        wanted = data[max(size - (requested.last or 0), 0) :]
    else:
        wanted = data[requested.first :] if requested.last is None else data[requested.first : requested.last + 1]
    found = requested.resolve(size)
    assert (b"" if found is None else data[found[0] : found[0] + found[1]]) == wanted
    assert (found is None) == (wanted == b"")


@pytest.mark.parametrize(
    "text",
    ["", "bytes", "bytes 1-2", "bytes 2-1/5", "bytes 0-5/5", "bytes 4-5/5", "bytes */5", "bytes a-b/c", "bytes 1-2/x", "1-2/5",
     "bytes -1-2/5", f"bytes 0-0/{'1' * 21}", f"bytes {'0' * 21}-1/5", "bytes 0-1/5 x"],
)  # fmt: skip
def test_an_invalid_content_range_is_refused(text: str):
    with pytest.raises(ValueError, match="content range"):
        ContentRange.from_wire(text)


@pytest.mark.parametrize(
    ("text", "returned"),
    [
        ("bytes 0-0/1", ContentRange(0, 0, 1)),
        ("bytes 1-1/2", ContentRange(1, 1, 2)),
        ("bytes 1-4/5", ContentRange(1, 4, 5)),
        ("bytes 1-4/*", ContentRange(1, 4, None)),
        (f"bytes 0-0/{'9' * 20}", ContentRange(0, 0, int("9" * 20))),
    ],
)
def test_content_range_is_written_and_read(text: str, returned: ContentRange):
    assert ContentRange.from_wire(text) == returned
    assert returned.to_wire() == text
    assert returned.length == returned.last - returned.first + 1


@given(_ranges, st.integers(1, 10), st.data())
def test_only_the_requested_bytes_answer_a_range(requested: ByteRange, size: int, data: st.DataObject):
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    status = data.draw(st.sampled_from([200, 206]))
    span = f"bytes {first}-{last}/{size}"
    length = data.draw(st.sampled_from([None, last - first + 1]))
    if requested.resolve(size) == (first, last - first + 1):
        extent = Extent.of(requested, status, span, length)
        assert extent == Extent(first, last - first + 1, size)
        assert extent.answers(requested)
        assert extent.is_whole == (first == 0 and last == size - 1)
    else:
        with pytest.raises(ValueError, match="asked for"):
            Extent.of(requested, status, span, length)
    with pytest.raises(ValueError, match="announced"):
        Extent.of(requested, status, span, last - first + 2)


@given(_ranges, st.one_of(st.none(), st.integers(0, 10)))
def test_a_whole_object_answers_only_a_range_that_covers_it(requested: ByteRange, size: int | None):
    extent = Extent.of(requested, 200, None, size)
    assert extent == Extent(0, size, size)
    assert extent.is_whole
    if size is None or size == 0:
        assert extent.answers(requested) == (requested == ByteRange(0))
    else:
        assert extent.answers(requested) == (requested.resolve(size) == (0, size))


@pytest.mark.parametrize(
    ("status", "span", "length"),
    [
        (206, None, 5), (206, "bytes 0-4/5", 5), (200, "bytes 0-3/5", 4), (200, "bytes 1-4/5", 4), (200, "bytes 0-4/*", 5),
        (204, None, 0), (203, None, 5), (304, None, None), (200, "bytes 0-4/5", 4), (200, "x", 5),
    ],
)  # fmt: skip
def test_contradictory_responses_to_a_plain_get_are_refused(status: int, span: str | None, length: int | None):
    with pytest.raises(ValueError, match=r"."):
        Extent.of(None, status, span, length)


def test_responses_to_a_plain_get():
    assert Extent.of(None, 200, None, 5) == Extent.of(None, 200, "bytes 0-4/5", 5) == Extent(0, 5, 5)
    assert Extent.of(None, 200, None, None) == Extent(0, None, None)


def test_a_part_may_have_any_range():
    assert Extent.of(None, 206, "bytes 5-9/20", 5, part=True) == Extent(5, 5, 20)
    with pytest.raises(ValueError, match="without"):
        Extent.of(None, 206, None, 5, part=True)


@pytest.mark.parametrize(
    ("requested", "span", "fits"),
    [
        (ByteRange(5, 9), "bytes 5-9/*", True),
        (ByteRange(5, 9), "bytes 5-8/*", False),
        (ByteRange(5, 9), "bytes 4-9/*", False),
        (ByteRange(5), "bytes 5-8/*", True),
        (ByteRange(5), "bytes 6-8/*", False),
        (ByteRange.suffix(4), "bytes 5-8/*", True),
        (ByteRange.suffix(4), "bytes 5-9/*", False),
    ],
)
def test_responses_without_the_total_size(requested: ByteRange, span: str, fits: bool):
    if fits:
        assert Extent.of(requested, 206, span, None).total is None
    else:
        with pytest.raises(ValueError, match="asked for"):
            Extent.of(requested, 206, span, None)


@pytest.mark.parametrize(
    ("text", "size"),
    [("bytes */5", 5), (" bytes */0 ", 0), ("bytes */x", None), ("bytes 0-1/5", None), (None, None), ("", None),
     (f"bytes */{'9' * 21}", None)],
)  # fmt: skip
def test_size_in_the_content_range_of_a_416(text: str | None, size: int | None):
    assert size_in(text) == size


@pytest.mark.parametrize(
    ("text", "size", "resolved"),
    [
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=0-", 10, (0, 10)),
        ("bytes=3-5", 10, (3, 3)),
        ("bytes=3-99", 10, (3, 7)),
        ("bytes=9-", 10, (9, 1)),
        ("bytes=10-", 10, None),
        ("bytes=-3", 10, (7, 3)),
        ("bytes=-99", 10, (0, 10)),
        ("bytes=-0", 10, None),
        ("bytes=0-", 0, None),
        ("bytes=-5", 0, None),
    ],
)
def test_a_range_is_resolved_within_an_object(text: str, size: int, resolved: tuple[int, int] | None) -> None:
    requested = ByteRange.from_wire(text)
    assert requested.resolve(size) == resolved
    assert requested.to_wire() == text


@pytest.mark.parametrize(
    "text", ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=--1", "0-1"]
)
def test_a_malformed_range_header_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ByteRange.from_wire(text)


@pytest.mark.parametrize(("first", "last"), [(None, None), (-1, None), (5, 4), (None, -1), (-1, 5)])
def test_an_impossible_range_is_refused(first: int | None, last: int | None) -> None:
    with pytest.raises(ValueError):
        ByteRange(first, last)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 40))
def test_a_range_with_both_ends_selects_the_bytes_of_a_slice(first: int, more: int, size: int) -> None:
    data = bytes(range(size))
    resolved = ByteRange(first, first + more).resolve(size)
    expected = data[first : first + more + 1]
    assert (data[resolved[0] : sum(resolved)] if resolved else b"") == expected
    assert resolved is None or resolved[1] == len(expected) > 0


def test_content_range_headers() -> None:
    returned = ContentRange.from_wire("bytes 3-5/10")
    assert (returned.first, returned.last, returned.total, returned.length) == (3, 5, 10, 3)
    assert returned.to_wire() == "bytes 3-5/10"
    assert ContentRange.from_wire("bytes 0-0/*").total is None
    for text in ("", "bytes */10", "bytes 5-3/10", "bytes 3-10/10", "bytes 0-1", "bytes=0-1/2"):
        with pytest.raises(ValueError, match="content range"):
            ContentRange.from_wire(text)
