"""Tags of objects and buckets."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import pytest_asyncio

import aiocos
from aiocos import Client, Tag
from aiocos.emulator import Emulator


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def bucket(cos: Client) -> None:
    await cos.buckets.create("bucket")


async def test_tags_of_an_object_can_be_set_read_and_removed(cos: Client) -> None:
    await cos.objects.put("bucket", "key", b"x", tagging="a=1&b+c=d%2Be", metadata={"who": "me"})
    assert (await cos.tagging.get_object("bucket", "key")).as_dict() == {"a": "1", "b c": "d+e"}
    await cos.tagging.put_object("bucket", "key", {"state": "ready", "empty": ""})
    assert (await cos.tagging.get_object("bucket", "key")).tags == [
        Tag(key="state", value="ready"),
        Tag(key="empty", value=""),
    ]
    info = await cos.objects.head("bucket", "key")
    assert (info.tag_count, info.metadata) == (2, {"who": "me"})
    await cos.tagging.put_object("bucket", "key", [Tag(key="ü/@ +-=._:*'", value="ü")])
    assert (await cos.tagging.get_object("bucket", "key")).as_dict() == {"ü/@ +-=._:*'": "ü"}
    await cos.tagging.delete_object("bucket", "key")
    assert (await cos.tagging.get_object("bucket", "key")).tags == []
    assert (await cos.objects.head("bucket", "key")).tag_count is None
    for call in (
        cos.tagging.get_object("bucket", "missing"),
        cos.tagging.put_object("bucket", "missing", {"a": "b"}),
        cos.tagging.delete_object("bucket", "missing"),
    ):
        with pytest.raises(aiocos.NoSuchKey):
            await call


async def test_a_copy_keeps_or_replaces_tags(cos: Client) -> None:
    await cos.objects.put("bucket", "key", b"x", tagging="a=1")
    await cos.objects.copy("bucket", "kept", ("bucket", "key"), metadata_directive="REPLACE")
    await cos.objects.copy("bucket", "new", ("bucket", "key"), tagging_directive="REPLACE", tagging="b=2")
    await cos.upload("bucket", "large", b"x" * (6 * 1024 * 1024), part_size=5 * 1024 * 1024, tagging="c=3")
    for key, tags in {"kept": {"a": "1"}, "new": {"b": "2"}, "large": {"c": "3"}}.items():
        assert (await cos.tagging.get_object("bucket", key)).as_dict() == tags


async def test_tags_of_a_copy_depend_on_the_tagging_directive_only(cos: Client) -> None:
    for key, tagging in {"tagged": "a=1", "plain": None}.items():
        await cos.objects.put("bucket", key, b"x", tagging=tagging)
        for directive in ("COPY", "REPLACE"):
            await cos.objects.copy("bucket", "copy", ("bucket", key), metadata_directive=directive, tagging="b=2")
            expected = {"a": "1"} if tagging else {}
            assert (await cos.tagging.get_object("bucket", "copy")).as_dict() == expected
        await cos.objects.copy("bucket", "copy", ("bucket", key), tagging_directive="REPLACE")
        assert (await cos.tagging.get_object("bucket", "copy")).tags == []
        assert (await cos.objects.head("bucket", "copy")).tag_count is None


@pytest.mark.parametrize(
    "tags",
    [
        {f"k{n}": "v" for n in range(11)},
        {"": "v"},
        {"k" * 129: "v"},
        {"k": "v" * 257},
        {"漢" * 100: "v"},
        {"k": "漢" * 200},
        {"ibm:k": "v"},
        {"k<": "v"},
        {"k": "v&"},
    ],
)
async def test_invalid_tags_are_refused(cos: Client, tags: dict[str, str]) -> None:
    await cos.objects.put("bucket", "key", b"x", tagging="a=1")
    for call in (
        cos.tagging.put_object("bucket", "key", tags),
        cos.objects.put("bucket", "key", b"y", tagging=urlencode(tags)),
        cos.objects.copy("bucket", "key", ("bucket", "key"), tagging_directive="REPLACE", tagging=urlencode(tags)),
    ):
        with pytest.raises(aiocos.InvalidRequest) as caught:
            await call
        assert (caught.value.status, caught.value.code) == (400, "InvalidTag")
    assert (await cos.tagging.get_object("bucket", "key")).as_dict() == {"a": "1"}
    assert await cos.objects.read("bucket", "key") == b"x"


async def test_a_duplicate_tag_key_is_refused(cos: Client) -> None:
    await cos.objects.put("bucket", "key", b"x")
    with pytest.raises(aiocos.InvalidRequest) as caught:
        await cos.tagging.put_object("bucket", "key", [Tag(key="a", value="1"), Tag(key="a", value="2")])
    assert caught.value.code == "InvalidTag"


async def test_tags_of_a_bucket_can_be_set_read_and_removed(cos: Client) -> None:
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.tagging.get_bucket("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchTagSet")
    await cos.tagging.put_bucket("bucket", {"team": "storage"})
    assert (await cos.tagging.get_bucket("bucket")).as_dict() == {"team": "storage"}
    await cos.tagging.delete_bucket("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.tagging.get_bucket("bucket")


async def test_the_aspera_connection_is_available_with_iam_only(cos: Client, cos_emulator: Emulator) -> None:
    found = await cos.buckets.aspera("bucket")
    assert found.access_key is not None
    assert found.access_key.secret
    assert found.access_key.secret not in repr(found)
    assert found == (await cos.buckets.aspera("bucket")).model_copy(update={"request_id": found.request_id})
    async with cos_emulator.client(hmac=True) as signing:
        with pytest.raises(aiocos.AccessDenied):
            await signing.buckets.aspera("bucket")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("k", {"k": ""}),
        ("k=", {"k": ""}),
        ("k&b=2", {"k": "", "b": "2"}),
        ("a=1&&b=2", {"a": "1", "b": "2"}),
        ("&", {}),
        ("a==", {"a": "="}),
    ],
)
async def test_a_name_in_the_header_without_value_is_a_tag(cos: Client, text: str, tags: dict[str, str]) -> None:
    await cos.objects.put("bucket", "key", b"x", tagging=text)
    await cos.objects.copy("bucket", "copy", ("bucket", "key"))
    for key in ("key", "copy"):
        assert (await cos.tagging.get_object("bucket", key)).as_dict() == tags
        assert (await cos.objects.head("bucket", key)).tag_count == (len(tags) or None)


@pytest.mark.parametrize(
    ("text", "code"), [("=v", "InvalidTag"), ("a=%zz", "InvalidTag"), ("a=1&a=2", "InvalidTag"), ("a=%ff", "InvalidArgument")]
)
async def test_invalid_tags_in_a_header_are_refused(cos: Client, text: str, code: str) -> None:
    with pytest.raises(aiocos.InvalidRequest) as caught:
        await cos.objects.put("bucket", "key", b"x", tagging=text)
    assert (caught.value.status, caught.value.code) == (400, code)
