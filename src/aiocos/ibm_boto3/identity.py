"""Who makes the requests: the arguments of `ibm_boto3.client`, in the words of this library."""

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


def identity(given: Mapping[str, Any], signature: Any, profile: str | None) -> dict[str, Any]:
    """Return the arguments of `Client` that say who it is.

    HMAC keys beside an API key are for presigned URLs, unless `signature_version="s3v4"` wants every request signed by them.
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
        return {"credentials": BearerToken(_manager(given["token_manager"]), given["ibm_service_instance_id"])}
    if given["auth_function"] is not None:
        return {"credentials": Bought(given["auth_function"], given["ibm_service_instance_id"])}
    if given["ibm_api_key_id"] is not None and not (keys and signature in ("s3v4", "v4")):
        return {"api_key": given["ibm_api_key_id"], **keys}
    return keys or {"profile": profile}


async def _asked(ask: Callable[[], Any]) -> Any:
    """Call a function of the program's: in a thread, unless it is a coroutine function."""
    answer: Any = ask() if inspect.iscoroutinefunction(ask) else await in_thread(ask)
    return await answer if inspect.isawaitable(answer) else answer


def _manager(manager: Any) -> Callable[[], Any]:
    async def token() -> str:
        return str(await _asked(manager.get_token) or "")

    return token


@dataclass(frozen=True)
class Bought(Credentials):
    """Tokens that a function of the program gets: IBM's `auth_function`, with IAM's answer as a dictionary.

    It is called when a token is needed or grows old, once for all callers, as for an API key.
    """

    function: Callable[[], Any] = field(repr=False)
    instance_id: str | None = None

    @property
    def service_instance_id(self) -> str | None:
        """The instance given beside the function."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what sends the tokens."""
        return TokenAuthorizer(("auth_function", self.function), self._fetch)

    async def _fetch(self) -> Token:
        try:
            answer: Any = await _asked(self.function)
        except CosError:
            raise
        except Exception as error:
            # What it says may hold a secret: its kind is told, and the cause is there for who looks.
            raise CredentialsError(f"auth_function raised {type(error).__name__}: no token") from error
        told = cast("Mapping[str, Any]", answer if isinstance(answer, Mapping) else {})
        value, seconds = told.get("access_token"), told.get("expires_in")
        if not value:
            raise CredentialsError("auth_function gave no access_token")
        if seconds is None and told.get("expiration") is not None:
            seconds = float(told["expiration"]) - time.time()
        return Token.issued(str(value), 3600.0 if seconds is None else float(seconds), now=time.monotonic())
