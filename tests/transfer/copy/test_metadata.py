"""Headers, tags, retention and legal holds that a copy by parts takes along."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aiocos.errors import AccessDenied, ConfigError, NoSuchConfiguration, OperationNotSupported, TransferError
from aiocos.operations.objects import ObjectInfo
from aiocos.operations.protection import GetBucketProtectionConfiguration
from aiocos.operations.tagging import GetObjectTagging
from aiocos.transfer.copy.metadata import SourceMetadata
from aiocos.transfer.requests import CopyRequest
from aiocos.wire.values import Stored


class Service:
    """A service with tags, a retention policy and legal holds, as told."""

    def __init__(
        self, tags: dict[str, str] | Exception | None = None, status: str = "Retention", holds: tuple[str, ...] = ()
    ) -> None:
        self._engine = self
        self.legal_holds = self.retention = self
        self.asked: list[Any] = []
        self.added: list[tuple[str, str, str]] = []
        self.refused: str | None = None
        self._tags = {} if tags is None else tags
        self._status = status
        self._holds = holds

    async def call(self, operation: Any) -> Any:
        self.asked.append(operation)
        if isinstance(operation, GetBucketProtectionConfiguration):
            return SimpleNamespace(status=self._status)
        if isinstance(self._tags, Exception):
            raise self._tags
        return SimpleNamespace(as_dict=lambda: self._tags)

    async def get(self, bucket: str, key: str) -> Any:
        self.asked.append((bucket, key))
        return SimpleNamespace(legal_holds=[SimpleNamespace(id=hold) for hold in self._holds])

    async def add(self, bucket: str, key: str, hold: str) -> None:
        if hold == self.refused:
            raise AccessDenied("no")
        self.added.append((bucket, key, hold))


INFO = ObjectInfo(
    etag='"e"',
    content_type="text/plain",
    content_encoding="gzip",
    content_disposition="inline",
    content_language="de",
    cache_control="no-cache",
    website_redirect_location="/there",
    expires="0",
    metadata={"a": "b"},
    version_id="v",
)


def kept(service: Any, info: ObjectInfo = INFO, **more: Any) -> SourceMetadata:
    return SourceMetadata(service, CopyRequest("from", "a", "to", "b", **more), info, "copy of it")


async def test_what_is_said_of_the_source_is_said_of_the_copy():
    said = await kept(Service()).headers()
    assert said == {
        "content_type": "text/plain",
        "content_encoding": "gzip",
        "content_disposition": "inline",
        "content_language": "de",
        "cache_control": "no-cache",
        "website_redirect_location": "/there",
        "metadata": {"a": "b"},
        "expires": "0",
        "tagging": None,
    }
    assert isinstance(said["expires"], Stored), "as it was stored, whatever it is"
    assert (await kept(Service(), website_redirect_location="/elsewhere").headers())[
        "website_redirect_location"
    ] == "/elsewhere"
    assert (await kept(Service(), ObjectInfo(etag="e")).headers())["expires"] is None
    assert (await kept(Service(), metadata_directive="COPY").headers()) == said
    assert await kept(Service(), metadata_directive="REPLACE").headers() == {"tagging": None}, "the call says it all"


async def test_metadata_that_cannot_be_told_would_be_lost():
    hidden = INFO.model_copy(update={"missing_meta": 2})
    with pytest.raises(ConfigError, match="copy of it: 2 entries of the source's metadata cannot be sent in headers"):
        await kept(Service(), hidden).headers()
    await kept(Service(), hidden, metadata_directive="REPLACE").headers()
    await kept(Service(), INFO.model_copy(update={"missing_meta": 0})).headers()


async def test_tags_come_along():
    service = Service({"a b": "c&d", "e": "/ü"})
    assert (await kept(service).headers())["tagging"] == "a%20b=c%26d&e=%2F%C3%BC"
    [asked] = service.asked
    assert isinstance(asked, GetObjectTagging)
    assert (asked.bucket, asked.key, asked.version_id) == ("from", "a", "v")
    other = Service({})
    more = {"version_id": "w", "expected_source_bucket_owner": "owner", "tagging_directive": "COPY"}
    assert (await kept(other, **more).headers())["tagging"] is None
    assert (other.asked[0].version_id, other.asked[0].expected_bucket_owner) == ("w", "owner")
    replaced = Service({"a": "b"})
    assert (await kept(replaced, tagging_directive="REPLACE", tagging="c=d").headers())["tagging"] == "c=d"
    assert (await kept(replaced, tagging_directive="REPLACE").headers())["tagging"] is None
    assert replaced.asked == []


@pytest.mark.parametrize("error", [NoSuchConfiguration("none"), OperationNotSupported("not here")])
async def test_a_source_without_tags(error: Exception):
    assert (await kept(Service(error)).headers())["tagging"] is None


async def test_tags_that_may_not_be_read_are_not_left_behind():
    with pytest.raises(AccessDenied):
        await kept(Service(AccessDenied("no"))).headers()


async def test_another_client_asks_about_the_source():
    here, there = Service({"a": "1"}, holds=("x",)), Service({"b": "2"}, holds=("y", "z"))
    held = INFO.model_copy(update={"retention_period": 60, "legal_hold_count": 2})
    one = kept(here, held, source_client=there, retention_directive="COPY")
    assert (await one.headers())["tagging"] == "b=2"
    assert await one.retention() == ({"retention_period": 60, "retention_legal_hold_id": "y"}, ["z"])
    assert [type(asked) for asked in here.asked] == [GetBucketProtectionConfiguration], "the target's bucket is here"


@pytest.mark.parametrize(("holds", "first", "others"), [((), None, []), (("x",), "x", []), (("x", "y", "z"), "x", ["y", "z"])])
async def test_retention_and_holds(holds: tuple[str, ...], first: str | None, others: list[str]):
    service = Service(holds=holds)
    info = INFO.model_copy(update={"retention_period": 0, "legal_hold_count": len(holds)})
    more = {"retention_directive": "COPY", "expected_bucket_owner": "owner"}
    assert await kept(service, info, **more).retention() == (
        {"retention_period": 0, "retention_legal_hold_id": first}, others,
    )  # fmt: skip
    assert (service.asked[0].bucket, service.asked[0].expected_bucket_owner) == ("to", "owner")
    assert service.asked[1:] == ([("from", "a")] if holds else [])


@pytest.mark.parametrize("directive", [None, "REPLACE", "COPY"])
async def test_retention_that_does_not_come_along(directive: str | None):
    service = Service(status="Disabled", holds=("x",))
    held = INFO.model_copy(update={"retention_period": 60, "legal_hold_count": 1})
    assert await kept(service, held, retention_directive=directive).retention() == ({}, [])
    assert len(service.asked) == (directive == "COPY")
    assert await kept(service, retention_directive=directive).retention() == ({}, []), "the source has none"
    assert len(service.asked) == (directive == "COPY")


async def test_holds_are_placed_one_by_one():
    service = Service()
    await kept(service).add_legal_holds([])
    await kept(service).add_legal_holds(["x", "y"])
    assert service.added == [("to", "b", "x"), ("to", "b", "y")]
    service.refused = "z"
    with pytest.raises(TransferError, match="lacks legal holds of the source: z could not be added: no") as caught:
        await kept(service).add_legal_holds(["w", "z", "v"])
    assert isinstance(caught.value.__cause__, AccessDenied)
    assert service.added[2:] == [("to", "b", "w")]
