"""Keep secrets out of messages: a server may repeat in its answer what it was sent.

A service that answers "cannot parse `Authorization: Bearer eyJ…`" puts a token into an exception, and from there into logs. So
whatever text of a server goes into a message passes through `redacted` first, with the secrets of the request it answers.

The text is searched for each secret as it is and as servers write it: percent-encoded, escaped for XML or JSON, in hex digits.
A secret that the server cut short is found by its beginning. Redaction comes before a message is shortened: the other way
around, the first half of a secret at the cut would stay.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from aiocos.wire.message import PreparedRequest

REDACTED = "***"
"""Stands in messages where a secret was."""

# Shorter ones would be found in every text, and protect nothing.
_SHORTEST = 4
# A beginning of a long secret counts as the secret from this many characters on.
_BEGINNING = 16
_CHAIN = 20
_FORM_FIELDS = frozenset(("apikey", "cr_token", "access_token", "refresh_token", "client_secret", "password", "assertion"))
_CUSTOMER_KEYS = (
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
)
_SIGNATURE = re.compile(r"Signature=([0-9A-Za-z+/=%]+)")


def secrets_of(request: PreparedRequest) -> set[str]:
    """Return the secrets that a request carries: tokens, signatures, API keys, keys of customers."""
    found: set[str] = set()
    for name, value in request.headers.items():
        lower = name.lower()
        if lower in ("authorization", "proxy-authorization"):
            found |= _of_authorization(value)
        elif lower == "x-amz-security-token":
            found.add(value)
        elif lower in _CUSTOMER_KEYS:
            found |= _of_customer_key(value)
    found |= set(_SIGNATURE.findall(request.query))
    if _is_form(request.headers) and request.body is not None:
        fields = parse_qsl(bytes(request.body).decode("utf-8", "replace"))
        found |= {value for name, value in fields if name in _FORM_FIELDS}
    return {secret for secret in found if len(secret) >= _SHORTEST}


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret in it replaced."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST and text:
            forms = _forms(secret)
            for form in forms:
                text = text.replace(form, REDACTED)
            for form in forms:
                text = _without_beginning(text, form)
    return text


def scrub(error: BaseException, secrets: Iterable[str]) -> None:
    """Replace every secret in the arguments and the texts of an exception and of those that caused it."""
    known, seen = list(secrets), set[int]()
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < _CHAIN:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        args = tuple(_scrubbed(value, known) for value in one.args)
        if any(new is not old for new, old in zip(args, one.args, strict=True)):
            one.args = args
        if isinstance(one, OSError) and one.strerror:
            one.strerror = redacted(one.strerror, known)
        for name, value in list(getattr(one, "__dict__", {}).items()):
            clean = _scrubbed(value, known)
            if clean is not value:
                setattr(one, name, clean)
        waiting += [one.__cause__, one.__context__]


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        clean = redacted(text, secrets)
        return value if clean == text else clean.encode("latin-1", "replace")
    if not isinstance(value, str):
        return value
    clean = redacted(value, secrets)
    return value if clean == value else clean


def _of_authorization(value: str) -> set[str]:
    scheme, _, rest = value.partition(" ")
    if not rest:
        return {value}
    if scheme.lower().startswith("aws4-"):
        return set(_SIGNATURE.findall(rest))
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest).decode("utf-8", "replace").partition(":")
        except (ValueError, binascii.Error):
            return {rest}
        # IAM's public client is "bx" with the secret "bx": hiding two letters would hide words.
        return {rest, password} if (user, password) != ("bx", "bx") else set()
    return {rest}


def _of_customer_key(value: str) -> set[str]:
    try:
        raw = base64.b64decode(value)
    except (ValueError, binascii.Error):
        return {value}
    found = {value, raw.hex(), raw.hex().upper()}
    text = raw.decode("latin-1")
    return found | {text} if text.isprintable() else found


def _is_form(headers: Mapping[str, str]) -> bool:
    return "application/x-www-form-urlencoded" in headers.get("Content-Type", "")


def _forms(secret: str) -> dict[str, None]:
    """Return a secret as servers write it, the longest forms first."""
    encoded = quote(secret, safe="")
    lower = re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)
    escaped = json.dumps(secret)[1:-1]
    forms = (
        secret,
        encoded,
        lower,
        quote_plus(secret),
        quote(secret),
        html.escape(secret),
        escaped,
        escaped.replace("/", "\\/"),
    )
    return dict.fromkeys(sorted(forms, key=len, reverse=True))


def _without_beginning(text: str, secret: str) -> str:
    if len(secret) < 2 * _BEGINNING:
        return text
    beginning, at = secret[:_BEGINNING], 0
    out: list[str] = []
    while (found := text.find(beginning, at)) >= 0:
        length = _BEGINNING
        while length < len(secret) and text[found + length : found + length + 1] == secret[length]:
            length += 1
        out += [text[at:found], REDACTED]
        at = found + length
    return text if not out else "".join((*out, text[at:]))
