"""Tests of `aiocos.wire.unknown`: settings keep unknown elements when they are read, changed and written back."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aiocos.errors import ConfigError
from aiocos.operations import acl, cors, lifecycle, object_lock, public_access, replication, tagging, versioning, website
from aiocos.operations import protection as prot
from aiocos.operations.shared import Owner, Tag
from aiocos.wire.bind import from_request, from_response, to_request
from aiocos.wire.document import Document, Extensible, XmlError, plan_of, root_of
from aiocos.wire.message import Request, Response
from aiocos.wire.route import route
from aiocos.wire.spec import Operation

from .strategies import documents, model, unknown_elements, xml_text

# Results with the operations that write them back.
TWINS: list[tuple[type[Extensible], type[Operation[Any]]]] = [
    (lifecycle.LifecycleConfiguration, lifecycle.PutBucketLifecycleConfiguration),
    (cors.CorsConfiguration, cors.PutBucketCors),
    (website.WebsiteConfiguration, website.PutBucketWebsite),
    (replication.ReplicationConfiguration, replication.PutBucketReplication),
    (tagging.TagSet, tagging.PutBucketTagging),
    (acl.AccessControlPolicy, acl.PutBucketAcl),
    (prot.Protection, prot.PutBucketProtectionConfiguration),
    (versioning.VersioningConfiguration, versioning.PutBucketVersioning),
    (public_access.PublicAccessBlockConfiguration, public_access.PutPublicAccessBlock),
    (object_lock.ObjectLock, object_lock.PutObjectLockConfiguration),
]
OF_OBJECTS: list[tuple[type[Extensible], type[Operation[Any]]]] = [
    (tagging.ObjectTagSet, tagging.PutObjectTagging),
    (acl.ObjectAccess, acl.PutObjectAcl),
    (object_lock.ObjectRetention, object_lock.PutObjectRetention),
    (object_lock.ObjectLegalHold, object_lock.PutObjectLegalHold),
]
ALL = [*TWINS, *OF_OBJECTS]
EXTENSIBLE = [cls for cls in documents() if issubclass(cls, Extensible)]


def _put(operation: type[Operation[Any]], document: Document) -> bytes:
    where = ("b", "k") if operation.spec.has_key else ("b",)
    body = to_request(operation(*where, document)).body
    assert body is not None
    return bytes(body)


def _tags(data: bytes) -> list[str]:
    """Return every element, text and attribute of a document, without order."""
    found: list[str] = []
    for element in ElementTree.fromstring(data).iter():
        found.append(element.tag.rpartition("}")[2])
        found += [text.strip() for text in (element.text, element.tail) if text and text.strip()]
        found += [f"{name}={value}" for name, value in element.items()]
    return sorted(found)


def _in_other_form(data: bytes) -> bytes:
    """Return the document with another prefix, another order of unknown elements, and comments."""
    return data.replace(b">\n<", b"><!-- c --><?p i?>\n<")


@pytest.mark.parametrize("cls", EXTENSIBLE, ids=lambda cls: cls.__name__)
def test_reading_writing_and_reading_again_is_the_identity(cls: type[Extensible]) -> None:
    @settings(max_examples=40)
    @given(model(cls))
    def check(document: Any) -> None:
        written = document.to_xml()
        again = cls.from_xml(written)
        assert again.to_xml() == cls.from_xml(again.to_xml()).to_xml() == written
        assert cls.from_xml(_in_other_form(written)) == again
        assert again.model_copy(update={"request_id": None} if "request_id" in cls.model_fields else {}) == again

    check()


@pytest.mark.parametrize("cls", EXTENSIBLE, ids=lambda cls: cls.__name__)
def test_no_unknown_element_is_lost(cls: type[Extensible]) -> None:
    """Insert random unknown elements at random places of a random document, wrappers and texts included."""

    @settings(max_examples=40)
    @given(model(cls), st.lists(st.tuples(st.integers(0, 99), unknown_elements(xml_text)), min_size=1, max_size=3))
    def check(document: Any, added: list[tuple[int, str]]) -> None:
        root = ElementTree.fromstring(document.to_xml())
        for place, text in added:
            into = list(root.iter())
            # A text with an element in it becomes an unknown element itself, and may have been a required field.
            into = [one for one in into if len(one) or one is root] or [root]
            into[place % len(into)].append(ElementTree.fromstring(text))
        data = ElementTree.tostring(root, encoding="utf-8")
        read = cls.from_xml(data)
        written = read.to_xml()
        assert _tags(written) == _tags(data)
        assert cls.from_xml(written) == read

    check()


@pytest.mark.parametrize(("cls", "operation"), ALL, ids=lambda one: one.__name__)
def test_a_result_is_written_back_as_it_was_read(cls: type[Extensible], operation: type[Operation[Any]]) -> None:
    @settings(max_examples=25)
    @given(model(cls))
    def check(document: Any) -> None:
        body = document.to_xml()
        read = from_response(cls, Response(200, {"x-clv-request-id": "r"}, body))
        assert _put(operation, read) == body
        assert root_of(cls) in body.decode()

    check()


YOUNGER = b"<Younger><Inner a='1'>x</Inner></Younger>"
LIFECYCLE = b"""<?xml version="1.0"?>
<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Rule><ID>a</ID><Younger><Inner a='1'>x</Inner></Younger><Prefix>logs/</Prefix><Status>Enabled</Status>
    <NoncurrentVersionTransition><NoncurrentDays>3</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>
    <NoncurrentVersionTransition><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionTransition>
  </Rule>
  <Rule><Filter><TagSet><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value>w</Value></Tag></TagSet></Filter>
    <Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>
  <Younger><Inner a='1'>x</Inner></Younger>
</LifecycleConfiguration>"""


def test_a_changed_lifecycle_keeps_unknown_elements() -> None:
    read = lifecycle.LifecycleConfiguration.from_xml(LIFECYCLE)
    first = read.rules[0]
    assert first.prefix == "logs/"
    assert [t.noncurrent_days for t in first.noncurrent_version_transitions] == [3, None]
    assert first.unknown_elements == read.unknown_elements == ('<Younger><Inner a="1">x</Inner></Younger>',)
    changed = read.model_copy(update={"rules": [*read.rules, lifecycle.LifecycleRule.expire(days=3)]})
    body = _put(lifecycle.PutBucketLifecycleConfiguration, changed)
    assert lifecycle.LifecycleConfiguration.from_xml(body) == changed
    assert body.count(b"<Younger>") == 2
    # The second tag has no field in this older form, and is kept.
    assert b"<Key>l</Key>" in body
    # A list of rules is accepted as well; it does not include the unknown elements beside the rules.
    assert _put(lifecycle.PutBucketLifecycleConfiguration, read.rules).count(b"<Younger>") == 1  # type: ignore[arg-type]
    assert "Younger" in repr(read)
    assert "unknown_elements" not in repr(lifecycle.LifecycleRule(status="Enabled"))


def test_unknown_elements_in_wrappers_stay_in_them() -> None:
    rules = b"<RoutingRules><Younger/><RoutingRule><Redirect/></RoutingRule></RoutingRules>"
    body = b"<WebsiteConfiguration>" + rules + b"</WebsiteConfiguration>"
    read = website.WebsiteConfiguration.from_xml(body)
    assert read.unknown_elements == ("RoutingRules/<Younger/>",)
    written = read.to_xml()
    assert written.count(b"<RoutingRules>") == 1
    assert b"</RoutingRule><Younger/></RoutingRules>" in written
    alone = website.WebsiteConfiguration(unknown_elements=("RoutingRules/<Younger/>",))
    assert website.WebsiteConfiguration.from_xml(alone.to_xml()).unknown_elements == ("RoutingRules/<Younger/>",)


def test_a_repeated_element_is_kept() -> None:
    body = b"<VersioningConfiguration><Status>Enabled</Status><Status>Suspended</Status></VersioningConfiguration>"
    read = versioning.VersioningConfiguration.from_xml(body)
    assert read.status == "Enabled"
    assert read.unknown_elements == ("<Status>Suspended</Status>",)
    assert versioning.VersioningConfiguration.from_xml(read.to_xml()) == read


def test_an_owner_that_is_written_back_keeps_unknown_elements() -> None:
    body = b"<AccessControlPolicy><Owner><ID>i</ID><Younger/></Owner><AccessControlList/></AccessControlPolicy>"
    read = acl.AccessControlPolicy.from_xml(body)
    assert read.owner is not None
    assert read.owner.id == "i"
    assert b"<Owner><ID>i</ID><Younger/></Owner>" in read.to_xml()
    assert acl.AccessControlPolicy(owner=Owner(id="i")).owner == acl.AclOwner(id="i")


@pytest.mark.parametrize(
    "texts",
    [
        ("",),
        ("text",),
        ("<a>",),
        ("<a/><b/>",),
        ("<a/>tail",),
        ("<!DOCTYPE a><a/>",),
        ("<a/></_><_>",),
        ("<a>" * 80 + "</a>" * 80,),
    ],
    ids=range(8),
)
def test_invalid_unknown_elements_are_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        lifecycle.LifecycleRule(status="Enabled", unknown_elements=texts)


def test_unknown_elements_are_normalized() -> None:
    rule = lifecycle.LifecycleRule(
        status="Enabled", unknown_elements=("<p:a xmlns:p='urn:x' z='2' b='1'><!-- c --><p:c/></p:a>", " <d><![CDATA[<]]></d> ")
    )
    assert rule.unknown_elements == ('<a xmlns="urn:x" b="1" z="2"><c/></a>', "<d>&lt;</d>")
    assert lifecycle.LifecycleRule.from_xml(rule.to_xml()) == rule


# ---------------------------------------------------------------------------------------------------------------------
# Values that do not fit


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        (lifecycle.PutBucketLifecycleConfiguration, [{"status": "Never"}]),
        (lifecycle.PutBucketLifecycleConfiguration, [{}]),
        (lifecycle.PutBucketLifecycleConfiguration, "rules"),
        (lifecycle.PutBucketLifecycleConfiguration, cors.CorsConfiguration()),
        (lifecycle.PutBucketLifecycleConfiguration, [cors.CorsRule(allowed_methods=[], allowed_origins=[])]),
        (cors.PutBucketCors, [{"allowed_methods": "GET"}]),
        (cors.PutBucketCors, None),
        (cors.PutBucketCors, 5),
        (tagging.PutBucketTagging, {"k": 5}),
        (tagging.PutBucketTagging, [Tag(key="k", value="v"), "x"]),
        (website.PutBucketWebsite, {"index_document": "x"}),
        (replication.PutBucketReplication, [1]),
        (acl.PutBucketAcl, "public-read"),
    ],
)
def test_errors_do_not_contain_messages_of_pydantic(operation: type[Operation[Any]], given: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        to_request(operation("b", given))
    message = str(caught.value)
    assert operation.__name__ in message
    for word in ("pydantic", "validation error", "input_value", "\n", "Field required", "Input should"):
        assert word not in message


@pytest.mark.parametrize(
    ("cls", "body"),
    [
        (lifecycle.LifecycleConfiguration, b"<L><Rule><ID>a</ID></Rule></L>"),
        (lifecycle.LifecycleConfiguration, b"<L><Rule><Status>On</Status></Rule></L>"),
        (
            lifecycle.LifecycleConfiguration,
            b"<L><Rule><Status>Enabled</Status><Expiration><Days>x</Days></Expiration></Rule></L>",
        ),
        (
            lifecycle.LifecycleConfiguration,
            b"<L><Rule><Status>Enabled</Status><Expiration><Date>x</Date></Expiration></Rule></L>",
        ),
        (public_access.PublicAccessBlockConfiguration, b"<P><BlockPublicAcls>2x</BlockPublicAcls></P>"),
    ],
)
def test_errors_of_reading_do_not_contain_messages_of_pydantic(cls: type[Document], body: bytes) -> None:
    with pytest.raises(XmlError) as caught:
        cls.from_xml(body)
    for word in ("Field required", "Input should", "\n"):
        assert word not in str(caught.value)


def test_a_server_keeps_unknown_elements_or_refuses_them() -> None:
    def ask(body: bytes) -> Any:
        request = Request("PUT", "b", None, [("lifecycle", "")], {}, body)
        return from_request(route(request), request)

    rule = b"<Rule><Status>Enabled</Status><Younger/></Rule>"
    assert ask(b"<LifecycleConfiguration>" + rule + b"</LifecycleConfiguration>").rules[0].unknown_elements == ("<Younger/>",)
    with pytest.raises(Exception, match="Younger") as caught:
        ask(b"<LifecycleConfiguration>" + rule + b"<Younger/></LifecycleConfiguration>")
    assert getattr(caught.value, "code", "") == "MalformedXML"


def test_documents_that_are_only_read_ignore_unknown_elements() -> None:
    assert Owner.from_xml(b"<Owner><Younger/><ID>i</ID></Owner>") == Owner(id="i")


def test_every_document_that_is_written_back_is_extensible() -> None:
    """Check that every document within a setting keeps unknown elements or refuses them."""
    seen: set[type[Document]] = set()
    waiting = [cls for cls, _ in ALL]
    while waiting:
        cls: Any = waiting.pop()
        if cls not in seen:
            seen.add(cls)
            assert issubclass(cls, Extensible) or cls is Owner, cls
            assert plan_of(cls).keeps or cls is Owner
            for name in cls.model_fields:
                waiting += _models(cls.model_fields[name].annotation)


def _models(annotation: Any) -> list[type[Extensible]]:
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return [annotation]  # type: ignore[list-item]
    return [found for one in getattr(annotation, "__args__", ()) for found in _models(one)]
