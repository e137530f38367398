"""No secret in the text of a thing; and the watch over the whole suite (`leaks`) sees one where there is one."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator

import pytest
from tests import leaks

import aiocos
from aiocos import ApiKey, BearerToken, Client, CosError, CustomerKey, DualCredentials, Hmac, TrustedProfile
from aiocos.auth.tokens import Token
from aiocos.emulator import Emulator
from aiocos.operations.objects import GetObject
from aiocos.wire.message import PreparedRequest

SECRET = "hush-hush-0123456789"
KEY = b"hush-hush-0123456789-hush-hush-0"
THINGS = [
    ApiKey(SECRET, "crn:x", client_id="c", client_secret=SECRET),
    Hmac("id", SECRET, SECRET),
    BearerToken(SECRET),
    TrustedProfile("p", api_key=SECRET),
    DualCredentials(ApiKey(SECRET), Hmac("id", SECRET)),
    Client("https://cos.example", api_key=SECRET),
    Client("https://cos.example", access_key_id="id", secret_access_key=SECRET),
    Token.issued(SECRET, 60, now=0),
    PreparedRequest("GET", "https://cos.example", "/", "", {"Authorization": f"Bearer {SECRET}"}, SECRET.encode()),
    GetObject("b", "k", customer_key=KEY),
    CustomerKey(KEY),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_things_do_not_show_their_secrets(thing: object) -> None:
    for text in (repr(thing), str(thing), f"{thing}", repr([thing])):
        assert SECRET not in text
        assert KEY.decode() not in text
    if not isinstance(thing, Token | PreparedRequest | GetObject):
        again = pickle.loads(pickle.dumps(thing))
        assert SECRET not in repr(again)


@pytest.fixture
def secret() -> Iterator[str]:
    made = "e" * 44
    leaks.words.add(made)
    yield made
    leaks.words.discard(made)


def test_the_watch_sees_records_and_errors(secret: str) -> None:
    logging.getLogger("aiocos.some.where").debug("sent %s", f"apikey={secret}&x=y")
    assert set(leaks.found()) == {"log aiocos.some.where: eeee…"}
    CosError(f"the answer quoted Bearer {secret}")
    assert set(leaks.found()) == {"CosError: eeee…"}
    aiocos.ServiceError("no", resource=secret)
    assert set(leaks.found()) == {"ServiceError: eeee…"}
    logging.getLogger("aiocos").info("nothing")
    assert leaks.found() == []


async def test_the_watch_knows_the_emulators_secrets(cos_emulator: Emulator) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.list()
    key = await cos_emulator.add_api_key("Reader")
    assert {cos_emulator.api_key, cos_emulator.secret_access_key, key.api_key, key.secret_access_key} <= leaks.words
    CosError(cos_emulator.iam.issue(key))
    assert len(leaks.found()) >= 1
