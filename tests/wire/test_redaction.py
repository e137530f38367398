"""Secrets that a server repeats do not reach messages."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.errors import ProtocolError
from aiocos.wire.message import Outgoing
from aiocos.wire.redaction import REDACTED, redacted, scrub, secrets_of

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLXRva2Vu"
KEY = bytes(range(32))
SIGNED = "AWS4-HMAC-SHA256 Credential=id/20260101/us/s3/aws4_request, SignedHeaders=host, Signature=" + "ab12" * 16


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, TOKEN),
        ({"authorization": SIGNED}, "ab12" * 16),
        ({"Authorization": "Basic " + base64.b64encode(b"me:pass-word").decode()}, "pass-word"),
        ({"x-amz-security-token": "session-token"}, "session-token"),
        ({"x-amz-server-side-encryption-customer-key": base64.b64encode(KEY).decode()}, base64.b64encode(KEY).decode()),
        ({"x-amz-copy-source-server-side-encryption-customer-key": base64.b64encode(KEY).decode()}, KEY.hex()),
    ],
)
def test_the_secrets_of_a_request(headers: dict[str, str], secret: str) -> None:
    assert secret in secrets_of(Outgoing("GET", "https://cos.example", "/", "", headers))


def test_the_secrets_of_a_form() -> None:
    form = urlencode({"grant_type": "urn:x", "apikey": "the key+/=", "profile_id": "public"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic Yng6Yng="}
    request = Outgoing("POST", "https://iam.example", "/identity/token", "", headers, form.encode())
    assert secrets_of(request) == {"the key+/="}, "the client that everybody is, is no secret"


SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=80)
WRITINGS = st.sampled_from(
    [
        str,
        quote,
        quote_plus,
        html.escape,
        lambda secret: quote(secret, safe=""),
        lambda secret: json.dumps(secret)[1:-1],
    ]
)


@given(SECRETS, WRITINGS, st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_found_however_it_is_written(secret: str, writing, before: str, after: str) -> None:
    written = writing(secret)
    assert written not in redacted(f"{before}{written}{after}", [secret]).replace(REDACTED, "")


@given(st.text(st.characters(min_codepoint=48, max_codepoint=122), min_size=32, max_size=80), st.integers(16, 80))
def test_a_secret_that_was_cut_short_is_found(secret: str, length: int) -> None:
    assert secret[:16] not in redacted(f"the token {secret[:length]}", [secret])


@given(st.text(max_size=100))
def test_a_text_without_secrets_stays(text: str) -> None:
    assert redacted(text, ["\x00never in a text\x00"]) == text


def test_what_is_too_short_is_no_secret() -> None:
    assert redacted("a b c", ["a", "", "b c"]) == "a b c"


def test_an_exception_is_cleaned_with_its_causes() -> None:
    cause = ValueError(f"line b'Authorization: Bearer {TOKEN}'", b"raw " + TOKEN.encode(), 7)
    cause.message = f"quoted {TOKEN}"  # type: ignore[attr-defined]
    error = ProtocolError(f"no HTTP: {TOKEN}")
    error.__cause__ = cause
    cause.__context__ = error  # a ring
    scrub(error, [TOKEN])
    assert TOKEN not in f"{error!r} {cause!r} {cause.__dict__!r}"
    assert cause.args[1:] == (b"raw ***", 7)
