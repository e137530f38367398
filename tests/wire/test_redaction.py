"""Tests of `aiocos.wire.redaction`: secrets that a server repeats do not reach messages."""

from __future__ import annotations

import base64
import html
import json
from itertools import pairwise
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.errors import ProtocolError
from aiocos.wire.message import PreparedRequest
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
    assert secret in secrets_of(PreparedRequest("GET", "https://cos.example", "/", "", headers))


def test_the_secrets_of_a_form() -> None:
    form = urlencode({"grant_type": "urn:x", "apikey": "the key+/=", "profile_id": "public"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic Yng6Yng="}
    request = PreparedRequest("POST", "https://iam.example", "/identity/token", "", headers, form.encode())
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
def test_secrets_are_found_in_every_encoding(secret: str, writing, before: str, after: str) -> None:
    written = writing(secret)
    assert written not in redacted(f"{before}{written}{after}", [secret]).replace(REDACTED, "")


@given(st.text(st.characters(min_codepoint=48, max_codepoint=122), min_size=32, max_size=80), st.integers(16, 80))
def test_truncated_secrets_are_found(secret: str, length: int) -> None:
    assert secret[:16] not in redacted(f"the token {secret[:length]}", [secret])


@given(st.text(max_size=100))
def test_a_text_without_secrets_is_unchanged(text: str) -> None:
    assert redacted(text, ["\x00never in a text\x00"]) == text


def test_short_values_are_not_redacted() -> None:
    assert redacted("a b c", ["a", "", "b c"]) == "a b c"


def test_scrub_cleans_an_exception_and_its_causes() -> None:
    cause = ValueError(f"line b'Authorization: Bearer {TOKEN}'", b"raw " + TOKEN.encode(), 7)
    cause.message = f"quoted {TOKEN}"  # type: ignore[attr-defined]
    error = ProtocolError(f"no HTTP: {TOKEN}")
    error.__cause__ = cause
    cause.__context__ = error  # a ring
    scrub(error, [TOKEN])
    assert TOKEN not in f"{error!r} {cause!r} {cause.__dict__!r}"
    assert cause.args[1:] == (b"raw ***", 7)


# ---------------------------------------------------------------------------------------------------------------------
# Details of finding and replacing


def _secrets(headers: dict[str, str], query: str = "", body: bytes | None = None) -> set[str]:
    return secrets_of(PreparedRequest("GET", "https://cos.example", "/", query, headers, body))


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_KEY_FORMS = {base64.b64encode(KEY).decode(), KEY.hex(), KEY.hex().upper()}
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Authorization": "Bearer token"}, {"token"}),
        ({"Proxy-Authorization": "Bearer token"}, {"token"}),
        ({"Authorization": "token-alone"}, {"token-alone"}),
        ({"Authorization": SIGNED}, {"ab12" * 16}),
        ({"Authorization": SIGNED.lower().replace("signature=", "Signature=")}, {"ab12" * 16}),
        ({"Authorization": "Basic " + _basic("me:pass-word")}, {_basic("me:pass-word"), "pass-word"}),
        ({"Authorization": "BASIC " + _basic("bx:other")}, {_basic("bx:other"), "other"}),
        ({"Authorization": "Basic " + _basic("other:bx")}, {_basic("other:bx")}),
        ({"Authorization": "Basic " + _basic("bx:bx")}, set()),
        ({"Authorization": "Basic a"}, set()),
        ({"Authorization": "Basic abcde"}, {"abcde"}),
        ({"Authorization": "Bearer abc"}, set()),
        ({"Authorization": "Bearer abcd"}, {"abcd"}),
        ({"X-Amz-Security-Token": "session-token"}, {"session-token"}),
        ({"X-Amz-Server-Side-Encryption-Customer-Key": base64.b64encode(KEY).decode()}, _KEY_FORMS),
        (
            {"x-amz-server-side-encryption-customer-key": base64.b64encode(b"k" * 32).decode()},
            {base64.b64encode(b"k" * 32).decode(), "6b" * 32, "6B" * 32, "k" * 32},
        ),
        ({"x-amz-server-side-encryption-customer-key": "no base64"[:7]}, {"no base"}),
        ({"x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(KEY).decode()}, set()),
        ({"x-amz-copy-source-server-side-encryption-customer-key": base64.b64encode(KEY).decode()}, _KEY_FORMS),
        ({"x-amz-meta-a": "value", "Host": "cos.example"}, set()),
    ],
)
def test_the_secrets_of_headers(headers: dict[str, str], found: set[str]) -> None:
    assert _secrets(headers) == found


def test_the_secrets_of_a_query() -> None:
    assert _secrets({}, "X-Amz-Credential=id&X-Amz-Signature=" + "ab" * 32) == {"ab" * 32}
    assert _secrets({}, "Signature=a%2Fb%3D&x=1") == {"a%2Fb%3D"}


@pytest.mark.parametrize(
    "name", ["apikey", "cr_token", "access_token", "refresh_token", "client_secret", "password", "assertion"]
)
def test_the_secrets_of_every_field_of_a_form(name: str) -> None:
    assert _secrets(_FORM, body=f"{name}=secret%2B&grant_type=public".encode()) == {"secret+"}
    assert _secrets({}, body=f"{name}=secret".encode()) == set()
    assert _secrets(_FORM) == set()
    assert _secrets(_FORM, body=b"\xff=1&" + name.encode() + b"=secret") == {"secret"}


def test_the_longest_secret_is_replaced_first() -> None:
    assert redacted("a secret-word here", ["secret", "secret-word"]) == "a *** here"
    assert redacted("abcd abc", ["abcd", "abc"]) == "*** abc"
    assert redacted("", ["secret"]) == ""


@pytest.mark.parametrize(
    "form",
    ["a%2Fb%20%2B%22%26é", "a%2fb%20%2b%22%26é", "a%2Fb+%2B%22%26é", "a/b%20%2B%22%26é", "a/b +&quot;&amp;é",
     'a/b +\\"&é', 'a\\/b +\\"&é'],
)  # fmt: skip
def test_each_encoding_of_a_secret(form: str) -> None:
    written = form.replace("é", "%C3%A9") if "%22" in form else form
    written = written.lower() if "%2f" in form else written
    written = written.replace("é", "\\u00e9") if "\\" in form else written
    assert redacted(f"<{written}>", ['a/b +"&é']) == "<***>"


LONG = "0123456789abcdef" + "ghijklmnopqrstuv"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"<{LONG}>", "<***>"),
        (f"<{LONG[:16]}>", "<***>"),
        (f"<{LONG[:17]}>", "<***>"),
        (f"<{LONG[:31]}>", "<***>"),
        (f"<{LONG[:15]}>", f"<{LONG[:15]}>"),
        (f"{LONG[:20]} {LONG[:16]}x {LONG[:18]}", "*** ***x ***"),
        (f"<{LONG[:16]}{LONG[:16]}>", "<******>"),
    ],
)
def test_prefixes_of_sixteen_characters_are_redacted(text: str, clean: str) -> None:
    assert redacted(text, [LONG]) == clean


def test_prefixes_of_short_secrets_are_not_redacted() -> None:
    assert redacted(LONG[:20], [LONG[:31]]) == LONG[:20]
    assert redacted(LONG[:20], [LONG]) == "***"


def test_scrub_leaves_an_exception_without_secrets_unchanged() -> None:
    args = ("text", b"bytes", 5)
    error = ValueError(*args)
    error.more = value = "more text"  # type: ignore[attr-defined]
    before = error.args
    scrub(error, ["secret"])
    assert error.args is before
    assert error.more is value  # type: ignore[attr-defined]


def test_scrub_cleans_arguments_and_attributes() -> None:
    error = OSError(5, "no secret-word", "file")
    error.bytes = b"\xffsecret-word"  # type: ignore[attr-defined]
    error.number = 5  # type: ignore[attr-defined]
    cause, context = ValueError("secret-word 1"), KeyError("secret-word 2")
    error.__cause__, error.__context__ = cause, context
    context.__cause__ = TypeError("secret-word 3")
    scrub(error, ["secret-word"])
    assert (error.strerror, error.bytes, error.number) == ("no ***", b"\xff***", 5)  # type: ignore[attr-defined]
    assert (cause.args, context.args, context.__cause__.args) == (("*** 1",), ("*** 2",), ("*** 3",))


def test_scrub_follows_a_chain_of_at_most_twenty_causes() -> None:
    errors = [ValueError(f"secret-word {number}") for number in range(22)]
    for one, other in pairwise(errors):
        one.__cause__ = other
    scrub(errors[0], iter(["secret-word"]))
    assert [one.args[0].startswith("***") for one in errors] == [True] * 20 + [False] * 2
