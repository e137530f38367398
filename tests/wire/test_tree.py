"""Tests of `aiocos.wire.tree`: elements that are read, kept and refused."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from pydantic import ValidationError

from aiocos.wire.document import (
    Attribute,
    Document,
    Element,
    Extensible,
    NotInXml,
    Text,
    XmlError,
    pascal,
    plan_of,
    read_tree,
    root_of,
    unwrap,
)

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


class _Leaf(Document):
    name: str | None = None
    number: int | None = None


class _Plain(Document):
    """Fields of every kind. Elements without a field are ignored."""

    root: ClassVar[str] = "Plain"
    namespace: ClassVar[str] = ""

    kind: Annotated[str | None, Attribute("xsi:type")] = None
    own: Annotated[str | None, Text()] = None
    text: str | None = None
    number: int | None = None
    truth: bool | None = None
    leaf: _Leaf | None = None
    words: Annotated[list[str], Element("Word")] = []
    leaves: Annotated[list[_Leaf], Element("Leaves/Leaf", also="Others/*")] = []
    inner: Annotated[str | None, Element("Inner", also="Wrapper/Inner")] = None
    elsewhere: Annotated[str, NotInXml()] = "e"


class _Kept(Extensible):
    """The fields of `_Plain`. Elements without a field are kept."""

    root: ClassVar[str] = "Kept"
    namespace: ClassVar[str] = ""

    text: str | None = None
    number: int | None = None
    leaf: _Leaf | None = None
    words: Annotated[list[str], Element("Word")] = []
    leaves: Annotated[list[_Leaf], Element("Leaves/Leaf", also="Others/*")] = []
    inner: Annotated[str | None, Element("Inner", also="Older/Inner")] = None


class _Closed(Document):
    closed: ClassVar[bool] = True
    text: str | None = None
    words: Annotated[list[str], Element("Words/Word")] = []


PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("<L/>", {"own": ""}),
    "a text": ("<L> own <Text> t </Text></L>", {"own": "own", "text": " t "}),
    "empty elements": ("<L><Text/><Number/><Truth/></L>", {"own": "", "text": ""}),
    "values": ("<L><Number> 5\n</Number><Truth>true</Truth></L>", {"own": "", "number": "5", "truth": "true"}),
    "the last of two": ("<L><Text>a</Text><Text>b</Text></L>", {"own": "", "text": "b"}),
    "a document": ("<L><Leaf><Name>n</Name><Number/></Leaf></L>", {"own": "", "leaf": {"name": "n"}}),
    "an empty document": ("<L><Leaf/></L>", {"own": "", "leaf": {}}),
    "a list": ("<L><Word>a</Word><Other/><Word/></L>", {"own": "", "words": ["a", ""]}),
    "a wrapped list": (
        "<L><Leaves><Leaf><Name>n</Name></Leaf><Other/><Leaf/></Leaves></L>",
        {"own": "", "leaves": [{"name": "n"}, {}]},
    ),
    "an empty wrapper": ("<L><Leaves/></L>", {"own": "", "leaves": []}),
    "another wrapper": ("<L><Others><Any/><Leaf/></Others></L>", {"own": "", "leaves": [{}, {}]}),
    "one in a wrapper": ("<L><Wrapper><Other/><Inner>a</Inner><Inner>b</Inner></Wrapper></L>", {"own": "", "inner": "a"}),
    "a wrapper without it": ("<L><Wrapper/></L>", {"own": ""}),
    "an attribute": (f'<L {XSI} xsi:type="t"/>', {"own": "", "kind": "t"}),
    "an attribute without its prefix": ('<L type="t"/>', {"own": "", "kind": "t"}),
    "an attribute of both": (f'<L {XSI} type="u" xsi:type="t"/>', {"own": "", "kind": "t"}),
    "an empty attribute": ('<L type=""/>', {"own": "", "kind": ""}),
    "what is elsewhere": ("<L><Elsewhere>x</Elsewhere></L>", {"own": ""}),
    "namespaces": ('<a:L xmlns:a="u" xmlns:b="v"><a:Text>t</a:Text><b:Number>5</b:Number></a:L>',
        {"own": "", "text": "t", "number": "5"}),
    "white space before it": (" \n\t<L/>", {"own": ""}),
}  # fmt: skip


@pytest.mark.parametrize(("data", "values"), PLAIN.values(), ids=PLAIN)
def test_reading_a_document(data: str, values: dict[str, Any]) -> None:
    assert read_tree(_Plain, data.encode()) == values


KEPT: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "nothing": ("<K/>", {}, ()),
    "what is known": ("<K><Text>t</Text><Number>5</Number></K>", {"text": "t", "number": 5}, ()),
    "an empty number": ("<K><Number/></K>", {}, ()),
    "an unknown element": ("<K><New a='1'>x</New><Text>t</Text></K>", {"text": "t"}, ('<New a="1">x</New>',)),
    "one that comes twice": ("<K><Text>a</Text><Text>b</Text></K>", {"text": "a"}, ("<Text>b</Text>",)),
    "a text with an element": ("<K><Text>a<B/></Text></K>", {}, ("<Text>a<B/></Text>",)),
    "a list with an element": ("<K><Word>a</Word><Word><B/></Word></K>", {"words": ["a"]}, ("<Word><B/></Word>",)),
    "in a wrapper": ("<K><Leaves><New/><Leaf/></Leaves></K>", {"leaves": [_Leaf()]}, ("Leaves/<New/>",)),
    "in the other wrapper": ("<K><Others><Any/></Others></K>", {"leaves": [_Leaf()]}, ()),
    "an empty wrapper": ("<K><Leaves/></K>", {"leaves": []}, ()),
    "one in another wrapper": (
        "<K><Older><Inner>a</Inner><Inner>b</Inner><New/></Older></K>",
        {"inner": "a"},
        ("<Older><Inner>b</Inner></Older>", "<Older><New/></Older>"),
    ),
    "one with an element": ("<K><Older><Inner><B/></Inner></Older></K>", {}, ("<Older><Inner><B/></Inner></Older>",)),
    "one in both forms": (
        "<K><Inner>a</Inner><Older><Inner>b</Inner></Older></K>",
        {"inner": "a"},
        ("<Older><Inner>b</Inner></Older>",),
    ),
    "of another namespace": ('<K xmlns="u"><New/><New xmlns="v"/></K>', {}, ("<New/>", '<New xmlns="v"/>')),
}


@pytest.mark.parametrize(("data", "values", "unknown"), KEPT.values(), ids=KEPT)
def test_an_extensible_document_keeps_unknown_elements(data: str, values: dict[str, Any], unknown: tuple[str, ...]) -> None:
    made = _Kept.from_xml(data.encode())
    assert made == _Kept(**values, unknown_elements=unknown)
    assert _Kept.from_xml(made.to_xml()) == made


WRITTEN: dict[str, tuple[Document, str]] = {
    "nothing": (_Plain(), "<Plain><Leaves></Leaves></Plain>"),
    "everything": (
        _Plain(
            kind="a\n<", own="<", text="", number=5, truth=False, leaf=_Leaf(name="n"), words=["a", ""], leaves=[_Leaf()],
            inner="i",
        ),
        (f'<Plain {XSI} xsi:type="a&#10;&lt;">&lt;'
        '<Text></Text><Number>5</Number><Truth>false</Truth><Leaf><Name>n</Name></Leaf>'
        "<Word>a</Word><Word></Word><Leaves><Leaf></Leaf></Leaves><Inner>i</Inner></Plain>"),
    ),
    "unknown elements": (
        _Kept(text="t", unknown_elements=("<New/>", "Leaves/<New/>", "Nowhere/<New/>")),
        "<Kept><Text>t</Text><Leaves><New/></Leaves><New/><Nowhere><New/></Nowhere></Kept>",
    ),
    "a name of its own": (_Leaf(number=1), '<_Leaf xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Number>1</Number></_Leaf>'),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_writing_a_document(name: str) -> None:
    document, text = WRITTEN[name]
    assert document.to_xml().decode() == f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def test_a_closed_document_refuses_unknown_elements() -> None:
    assert _Closed.from_xml(b"<C><Text>t</Text><Words><Word>a</Word></Words></C>") == _Closed(text="t", words=["a"])
    long = "N" * 300
    with pytest.raises(XmlError, match=f"^an unknown element would be lost: <{'N' * 199}$"):
        _Closed.from_xml(f"<C><{long}/></C>".encode())
    with pytest.raises(XmlError, match="would be lost: Words/<New/>"):
        _Closed.from_xml(b"<C><Words><New/></Words></C>")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<L>\0</L>", "not well-formed XML: a zero byte"),
        (b"<L><!DOCTYPE a></L>", "a document type definition is not accepted"),
        (b"<L><!ENTITY a></L>", "a document type definition is not accepted"),
        (b"<html/>", "a web page"),
        (b'<HTML xmlns="u"/>', "a web page"),
        (b"<L>", "not well-formed XML: "),
        (b"<L>\xff</L>", "not well-formed XML: "),
        (b"<L>" + b"<a>" * 70 + b"</a>" * 70 + b"</L>", "not a document of the service: elements nested"),
        (b"<L><Text/><X>" + b"<a>" * 70 + b"</a>" * 70 + b"</X></L>", "not a document of the service: elements nested"),
    ],
)
@pytest.mark.parametrize("cls", [_Plain, _Kept, _Closed])
def test_invalid_documents_are_refused(cls: type[Document], data: bytes, text: str) -> None:
    with pytest.raises(XmlError, match=f"^{text}"):
        cls.from_xml(data)
    assert read_tree(_Plain, b"<htm/>") == {"own": ""}


def test_plan_of_a_model() -> None:
    plan = plan_of(_Plain)
    assert plan is plan_of(_Plain)
    assert [one.name for one in plan.elements] == ["Text", "Number", "Truth", "Leaf", "Word", "Leaves", "Inner"]
    assert set(plan.by_name) == {*(one.name for one in plan.elements), "Others", "Wrapper"}
    assert [one.name for one in plan.attributes] == ["xsi:type"]
    assert plan.text is not None
    assert (plan.keeps, plan.closed, plan_of(_Kept).keeps, plan_of(_Closed).closed) == (False, False, True, True)
    assert (root_of(_Plain), root_of(_Leaf)) == ("Plain", "_Leaf")


def test_a_field_takes_precedence_over_a_second_name() -> None:
    class Both(Document):
        one: Annotated[list[str], Element("One/A", also="Two/A")] = []
        two: str | None = None

    assert read_tree(Both, b"<B><Two>t</Two></B>") == {"two": "t"}


def test_a_failed_plan_is_not_cached() -> None:
    class Clash(Document):
        a_b: str = ""
        a__b: str = ""

    for _ in range(2):
        with pytest.raises(TypeError, match="two fields use the element <AB>"):
            plan_of(Clash)


def test_pascal_and_unwrap() -> None:
    assert pascal("next_key_marker") == "NextKeyMarker"
    assert unwrap(Annotated[str | None, 1] | None) is str
    assert unwrap(int | str | None) == int | str | None
    assert unwrap(list[str]) == list[str]


def test_repr_shows_unknown_elements_only_if_there_are_any() -> None:
    assert "unknown_elements" not in repr(_Kept(text="t"))
    assert repr(_Kept(text="t", unknown_elements=("<a/>",))).endswith("unknown_elements=('<a/>',))")
    assert repr(_Kept(text="t", unknown_elements=("<a/>",))).count("unknown_elements") == 1


# ---------------------------------------------------------------------------------------------------------------------
# Normalized unknown elements

ONE_FORM = {
    "<a/>": "<a/>",
    " <a></a>\n": "<a/>",
    "<a> </a>": "<a> </a>",
    "<a>x<b/>y<c>z</c></a>": "<a>x<b/>y<c>z</c></a>",
    "<a><b/>&lt;&#13;</a>": "<a><b/>&lt;&#13;</a>",
    "<a z='1' b='&#10;&quot;'/>": '<a b="&#10;&quot;" z="1"/>',
    "<a xml:lang='de'/>": '<a xml:lang="de"/>',
    "<a xmlns='u'><b/></a>": '<a xmlns="u"><b/></a>',
    "<a xmlns='u'><b xmlns=''/></a>": '<a xmlns="u"><b xmlns=""/></a>',
    "<p:a xmlns:p='u&amp;'><p:b/></p:a>": '<a xmlns="u&amp;"><b/></a>',
    "<a b='1' xmlns:p='u' p:c='2'/>": '<a b="1" xmlns:n0="u" n0:c="2"/>',
    "Wrapper/<a/>": "Wrapper/<a/>",
    "Wr-a.p_1/<a></a>": "Wr-a.p_1/<a/>",
    "Wrapper/<a b='1'></a>": 'Wrapper/<a b="1"/>',
}


@pytest.mark.parametrize(("text", "form"), ONE_FORM.items())
def test_unknown_elements_are_normalized(text: str, form: str) -> None:
    made = _Kept(unknown_elements=(text,)).unknown_elements
    if "p:c" in text:
        # The number of a prefix does not matter.
        assert made[0].count('="u"') == 1
        assert _Kept(unknown_elements=made).unknown_elements == made
        return
    assert made == (form,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not one XML element"),
        ("text", "is not one XML element"),
        ("<a/>text", "is not one XML element"),
        ("text<a/>", "is not one XML element"),
        ("<a/><b/>", "is not one XML element"),
        ("<a>", "is not an XML element"),
        ("<a/></_><_>", "is not an XML element"),
        ("a b/<a/>", "is not one XML element"),
        ("<!DOCTYPE a><a/>", "a document type definition"),
        ("<a><!ENTITY a></a>", "a document type definition"),
        ("<a>" * 66 + "</a>" * 66, "nested more than 64 deep"),
        ("<a " + "x" * 200 + ">", "^(?!.*x{80})"),
    ],
)
def test_a_text_that_is_not_one_element_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        _Kept(unknown_elements=(text,))


def test_elements_up_to_the_limit_of_depth() -> None:
    deepest = "<a>" * 63 + "<a/>" + "</a>" * 63
    assert _Kept(unknown_elements=(deepest,)).unknown_elements == (deepest,)
    with pytest.raises(ValidationError, match="deep"):
        _Kept(unknown_elements=(f"<a>{deepest}</a>",))
