"""An emulator of IAM.

It exchanges API keys, refresh tokens and trusted profiles for bearer tokens.

`POST /identity/token` and `/oidc/token` are served on the S3 port. They hide no S3 operation: a POST of a key without a query
is not one, so a bucket called `identity` works.

Tokens look like JWTs, because SDKs read `iat` and `exp` from them, but only tokens that this emulator issued are accepted; they
do not survive a restart. The service does not document its response to an expired or unknown token; the emulator returns 401
with the codes `ExpiredToken` and `InvalidToken`.
"""

import base64
import hmac
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiocos.emulator.clock import Clock
from aiocos.emulator.store.rows import Instance, Key, Profile
from aiocos.errors import Unauthorized

PATHS = frozenset({"/identity/token", "/oidc/token"})
_APIKEY = "urn:ibm:params:oauth:grant-type:apikey"
_CR_TOKEN = "urn:ibm:params:oauth:grant-type:cr-token"
_ASSUME = "urn:ibm:params:oauth:grant-type:assume"
_REFRESH = "refresh_token"


@dataclass(slots=True)
class TokenRequest:
    """A received token request."""

    grant_type: str
    """The requested grant, such as `urn:ibm:params:oauth:grant-type:apikey`; empty without one."""
    status: int
    """Status of the response."""
    at: float
    """Time of the request by the emulator's clock, in seconds since 1970."""
    headers: Mapping[str, str] = field(repr=False)
    """Headers of the request."""
    form: Mapping[str, str] = field(repr=False)
    """Fields of the form. They include secrets."""


class _Refused(Exception):
    """A token request is refused; the arguments are IAM's error code and message."""


@dataclass(frozen=True, slots=True)
class _Token:
    key: Key
    expires: float


class Iam:
    """The token service.

    `expires_in` (seconds) may be changed at any time; `requests` records token requests.
    """

    def __init__(self, clock: Clock, *, expires_in: int = 3600) -> None:
        self.expires_in = expires_in
        self.refresh_tokens = True
        """True if responses contain a valid refresh token; False returns the text `not_supported`, as IAM may do."""
        self.requests: list[TokenRequest] = []
        self.profiles: list[Profile] = []
        """The trusted profiles, created by `Emulator.add_trusted_profile`."""
        self.withdrawn: set[str] = set()
        """API keys that were withdrawn; see `withdraw`."""
        self.delegated: dict[str, tuple[Key, str]] = {}
        """Issued delegated tokens, with their key and receiver."""
        self._clock = clock
        self._secret = os.urandom(32)
        self._tokens: dict[str, _Token] = {}
        self._refresh: dict[str, Key] = {}
        self._revoked: set[str] = set()

    def respond(self, form: Mapping[str, str], headers: Mapping[str, str], keys: Mapping[str, Key]) -> tuple[int, Any]:
        """Handle a token request.

        Returns the status and the JSON body. `keys` maps API keys to credentials.
        """
        status, body = self._respond(form, keys)
        self.requests.append(TokenRequest(form.get("grant_type", ""), status, self._clock.timestamp(), headers, form))
        return status, body

    def _respond(self, form: Mapping[str, str], keys: Mapping[str, Key]) -> tuple[int, dict[str, Any]]:
        grants = {_APIKEY: self._by_key, _REFRESH: self._by_refresh, _CR_TOKEN: self._by_compute, _ASSUME: self._by_assuming}
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return 400, self.error("BXNIM0106E", "Invalid form property: grant_type")
        try:
            key = grant(form, keys)
        except _Refused as refused:
            return 400, self.error(*refused.args)
        if form.get("response_type") == "delegated_refresh_token":
            return 200, {"delegated_refresh_token": self.delegate(key, form.get("receiver_client_ids", ""))}
        return 200, self.issue_response(key)

    def _by_key(self, form: Mapping[str, str], keys: Mapping[str, Key]) -> Key:
        if not form.get("apikey"):
            raise _Refused("BXNIM0109E", "Property missing or empty: apikey")
        key = keys.get(form["apikey"])
        if key is None or key.api_key in self.withdrawn:
            raise _Refused("BXNIM0415E", "Provided API key could not be found.")
        return key

    def _by_refresh(self, form: Mapping[str, str], keys: Mapping[str, Key]) -> Key:
        key = self._refresh.get(form.get("refresh_token", ""))
        if key is None:
            raise _Refused("BXNIM0408E", "Provided refresh_token is invalid")
        return key

    def _by_compute(self, form: Mapping[str, str], keys: Mapping[str, Key]) -> Key:
        if not form.get("cr_token"):
            raise _Refused("BXNIM0109E", "Property missing or empty: cr_token")
        profile = self.profile(id=form.get("profile_id"), name=form.get("profile_name"))
        if profile is None or not hmac.compare_digest(profile.compute_token.encode(), form["cr_token"].encode()):
            raise _Refused("BXNIM0439E", "The compute resource may not take on the profile.")
        return profile.key

    def _by_assuming(self, form: Mapping[str, str], keys: Mapping[str, Key]) -> Key:
        try:
            who = self.key_of(form.get("access_token", ""))
        except Unauthorized:
            raise _Refused("BXNIM0407E", "Provided access_token is invalid") from None
        selector = {"id": form.get("profile_id"), "crn": form.get("profile_crn"), "name": form.get("profile_name")}
        if sum(bool(value) for value in selector.values()) != 1 or bool(selector["name"]) != bool(form.get("account")):
            raise _Refused("BXNIM0109E", "Name the profile by profile_id, profile_crn, or profile_name with account")
        profile = self.profile(**selector)
        own = who.instance.crn.split(":")[6].removeprefix("a/") if profile is not None else ""
        if profile is None or profile.account != own or form.get("account") not in (None, profile.account):
            raise _Refused("BXNIM0439E", "The profile could not be assumed.")
        return profile.key

    def profile(self, *, id: str | None = None, crn: str | None = None, name: str | None = None) -> Profile | None:
        """Return the trusted profile with this id, CRN or name; None if there is none."""
        wanted = {(kind, value) for kind, value in (("id", id), ("crn", crn), ("name", name)) if value}
        if not wanted:
            return None
        return next((p for p in self.profiles if wanted <= {("id", p.id), ("crn", p.crn), ("name", p.name)}), None)

    def delegate(self, key: Key, receiver: str) -> str:
        """Issue a delegated token that lets `receiver` act for a key.

        It is recorded in `delegated`.
        """
        token = f"{_base64(os.urandom(24))}.{_base64(os.urandom(24))}"
        self.delegated[token] = (key, receiver)
        return token

    def withdraw(self, api_key: str) -> None:
        """Make an API key unknown from now on, and expire its tokens."""
        self.withdrawn.add(api_key)
        self._revoked.update(token for token, issued in self._tokens.items() if issued.key.api_key == api_key)

    def issue_response(self, key: Key) -> dict[str, Any]:
        """Issue a token and return the JSON body of IAM's response."""
        now = self._clock.timestamp()
        token = self.issue(key, self.expires_in)
        refresh = "not_supported"
        if self.refresh_tokens:
            refresh = os.urandom(32).hex()
            self._refresh[refresh] = key
        return {
            "access_token": token,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "expiration": int(now) + self.expires_in,
            "scope": "ibm openid",
        }

    def issue(self, identity: Instance | Key, expires_in: int = 3600) -> str:
        """Issue a token without a request.

        The token is for credentials, or for the manager of an instance.

        Args:
            identity: Credentials, or an instance for its manager.
            expires_in: Lifetime in seconds.
        """
        key = Key.of_manager(identity) if isinstance(identity, Instance) else identity
        now = self._clock.timestamp()
        claims = {
            "iam_id": f"iam-ServiceId-{key.instance.guid}",
            "jti": uuid.uuid4().hex,
            "iat": int(now),
            "exp": int(now) + expires_in,
            "grant_type": _APIKEY,
            "scope": "ibm openid",
        }
        text = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        token = f"{text}.{_base64(hmac.digest(self._secret, text.encode(), 'sha256'))}"
        if len(self._tokens) > 10_000:
            self._tokens = {name: issued for name, issued in self._tokens.items() if issued.expires > now}
        self._tokens[token] = _Token(key, now + expires_in)
        return token

    @staticmethod
    def error(code: str, message: str) -> dict[str, Any]:
        """Return the JSON body of an IAM error."""
        return {
            "errorCode": code,
            "errorMessage": message,
            "context": {"requestId": uuid.uuid4().hex, "url": "/identity/token"},
        }

    def key_of(self, token: str) -> Key:
        """Return the credentials of a token.

        Raises `Unauthorized` if it is unknown, expired or revoked.
        """
        found = self._tokens.get(token)
        if found is None:
            raise Unauthorized("The bearer token is not valid.", status=401, code="InvalidToken")
        if found.expires <= self._clock.timestamp() or token in self._revoked:
            raise Unauthorized("The bearer token has expired.", status=401, code="ExpiredToken")
        return found.key

    def expire(self, token: str) -> None:
        """Expire a token now."""
        self._revoked.add(token)

    def expire_all(self) -> None:
        """Expire all issued tokens now."""
        self._revoked.update(self._tokens)


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
