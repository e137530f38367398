"""Removal of secrets from messages.

A response may repeat what the request contained. A service that responds "cannot parse `Authorization: Bearer eyJ…`" puts a
token into an exception, and from there into logs. So every text of a server that becomes part of a message passes through
`redacted` first, with the secrets of its request.

The text is searched for each secret in the forms that servers write: as it is, percent-encoded, escaped for XML or JSON, in
hexadecimal. A secret that the server truncated is found by its beginning. Redact before you shorten a message: otherwise the
first half of a secret at the cut would remain.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from aiocos.wire.message import PreparedRequest

REDACTED = "***"
"""Replaces a secret in messages."""

# Shorter secrets would occur in every text.
_MIN_LENGTH = 4
# Length of the shortest beginning of a secret that is redacted. Secrets shorter than twice that are redacted only as a whole.
_PREFIX_LENGTH = 16
# Exceptions of one chain of causes that are searched.
_MAX_CHAIN = 20
_FORM_FIELDS = frozenset(("apikey", "cr_token", "access_token", "refresh_token", "client_secret", "password", "assertion"))
_CUSTOMER_KEYS = (
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
)
_SIGNATURE = re.compile(r"Signature=([0-9A-Za-z+/=%]+)")


def secrets_of(request: PreparedRequest) -> set[str]:
    """Return the secrets in a request.

    They are tokens, signatures, API keys, passwords and customer keys.
    """
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
    return {secret for secret in found if len(secret) >= _MIN_LENGTH}


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret replaced by `REDACTED`."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_LENGTH and text:
            forms = _forms(secret)
            for form in forms:
                text = text.replace(form, REDACTED)
            for form in forms:
                text = _without_prefix(text, form)
    return text


def scrub(error: BaseException, secrets: Iterable[str]) -> None:
    """Replace every secret in an exception and its causes.

    The arguments and the attributes of each exception are searched.
    """
    known, seen = list(secrets), set[int]()
    pending: list[BaseException | None] = [error]
    while pending and len(seen) < _MAX_CHAIN:
        one = pending.pop()
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
        pending += [one.__cause__, one.__context__]


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
        # The public client of IAM is "bx" with the secret "bx": redacting two letters would destroy words.
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
    """Return the forms in which servers write a secret, the longest first."""
    import html  # needed for errors only

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


def _without_prefix(text: str, secret: str) -> str:
    if len(secret) < 2 * _PREFIX_LENGTH:
        return text
    prefix, position = secret[:_PREFIX_LENGTH], 0
    out: list[str] = []
    while (found := text.find(prefix, position)) >= 0:
        length = _PREFIX_LENGTH
        while length < len(secret) and text[found + length : found + length + 1] == secret[length]:
            length += 1
        out += [text[position:found], REDACTED]
        position = found + length
    return text if not out else "".join((*out, text[position:]))
