"""Credentials: the arguments of `ibm_boto3.client` as those of `aiocos.Client`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from pydantic import SecretStr

from aiocos.auth.base import Anonymous, Authorizer, AuthSettings, BearerToken, Credentials
from aiocos.auth.bearer import TokenAuthorizer
from aiocos.auth.tokens import Token
from aiocos.errors import CosError, CredentialsError
from aiocos.ibm_boto3.config import UNSIGNED
from aiocos.ibm_boto3.exceptions import PartialCredentialsError
from aiocos.transfer.files import in_thread

Secret: TypeAlias = str | SecretStr
"""A secret: text, or a pydantic `SecretStr`, whose `repr` does not show it."""


def client_credentials(given: Mapping[str, Any], signature: Any, profile: str | None) -> dict[str, Any]:
    """Return the arguments of `aiocos.Client` that hold credentials.

    If both HMAC keys and an API key are given, the keys only sign presigned URLs, unless `signature_version="s3v4"` asks to
    sign every request with them.

    Args:
        given: The credentials of the session and the client, by the names that IBM's SDK has for them.
        signature: `signature_version` of the client's `Config`.
        profile: Profile of the configuration files, used if no credentials are given; None is the default profile.

    Raises:
        PartialCredentialsError: One key of an HMAC pair is missing.
    """
    pair = {
        "access_key_id": given["aws_access_key_id"],
        "secret_access_key": given["aws_secret_access_key"],
        "session_token": given["aws_session_token"],
    }
    keys = pair if any(value is not None for value in pair.values()) else {}
    if keys and (missing := [name for name in ("access_key_id", "secret_access_key") if keys[name] is None]):
        raise PartialCredentialsError(f"Partial credentials found in the arguments, missing: aws_{', aws_'.join(missing)}")
    if signature is UNSIGNED:
        return {"credentials": Anonymous()}
    if given["token_manager"] is not None:
        return {"credentials": BearerToken(_token_getter(given["token_manager"]), given["ibm_service_instance_id"])}
    if given["auth_function"] is not None:
        return {"credentials": TokenFunction(given["auth_function"], given["ibm_service_instance_id"])}
    if given["ibm_api_key_id"] is not None and not (keys and signature in ("s3v4", "v4")):
        return {"api_key": given["ibm_api_key_id"], **keys}
    return keys or {"profile": profile}


async def _call(function: Callable[[], Any]) -> Any:
    """Call a user's function, plain or async, and return its result.

    A plain function is called in a thread. If it returns an awaitable, that is awaited.
    """
    result: Any = function() if inspect.iscoroutinefunction(function) else await in_thread(function)
    return await result if inspect.isawaitable(result) else result


def _token_getter(manager: Any) -> Callable[[], Any]:
    async def token() -> str:
        return str(await _call(manager.get_token) or "")

    return token


@dataclass(frozen=True)
class TokenFunction(Credentials):
    """Credentials whose tokens come from a user's function.

    This is `auth_function` of IBM's SDK. The function is called when a token is needed or about to expire, and once for all
    requests that wait for it.
    """

    function: Callable[[], Any] = field(repr=False)
    """Function, plain or async, that returns IAM's response as a dictionary: `access_token` and `expires_in` (seconds)."""
    instance_id: str | None = None
    """CRN or GUID of the service instance; None sends none."""

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return an authorizer that sends the tokens."""
        return TokenAuthorizer(("auth_function", self.function), self._fetch)

    async def _fetch(self) -> Token:
        try:
            response: Any = await _call(self.function)
        except CosError:
            raise
        except Exception as error:
            # Its message may hold a secret, so only its type is shown. The cause has the rest.
            raise CredentialsError(f"auth_function raised {type(error).__name__}: no token") from error
        fields = cast("Mapping[str, Any]", response if isinstance(response, Mapping) else {})
        value, seconds = fields.get("access_token"), fields.get("expires_in")
        if not value:
            raise CredentialsError("auth_function returned no access_token")
        if seconds is None and fields.get("expiration") is not None:
            seconds = float(fields["expiration"]) - time.time()
        return Token.issued(str(value), 3600.0 if seconds is None else float(seconds), now=time.monotonic())
