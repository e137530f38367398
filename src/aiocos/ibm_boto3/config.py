"""`Config`: those options of `ibm_botocore.client.Config` that apply here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from aiocos.config import ClientConfig, RetryConfig
from aiocos.ibm_boto3.exceptions import InvalidConfigError


class _Unsigned:
    def __repr__(self) -> str:
        return "UNSIGNED"


UNSIGNED = _Unsigned()
"""Value of `Config(signature_version=…)` for anonymous requests, which can read public objects."""

# Options of botocore that are accepted without effect, and the reason.
_WITHOUT_EFFECT = {
    "tcp_keepalive": "connections stay open while they are used",
    "inject_host_prefix": "the service has no host prefixes",
    "defaults_mode": "the defaults are this library's own",
    "disable_request_compression": "bodies are never compressed",
    "request_min_compression_size_bytes": "bodies are never compressed",
    "response_checksum_validation": "checksums are always compared",
    "parameter_validation": "parameters are always validated",
    "sigv4a_signing_region_set": "the service does not support SigV4a",
}
_SIGNATURES = ("oauth", "s3v4", "v4", UNSIGNED, None)
_STYLES = {"path": "path", "virtual": "virtual", "auto": "path", None: "path"}


class Config:
    """Settings of a client.

    An option that is None has the default of `aiocos.ClientConfig`.

    Args:
        region_name: Region that selects the endpoint and that signatures name.
        signature_version: `"oauth"` (tokens for an API key), `"s3v4"` (HMAC keys) or `UNSIGNED` (anonymous); None uses the
            credentials that are given or found.
        user_agent: Text that replaces the User-Agent header.
        user_agent_extra: Text that is added to the User-Agent header.
        user_agent_appid: Name of the application, added to the User-Agent header as `app/NAME`.
        connect_timeout: Seconds for opening a connection.
        read_timeout: Seconds without a byte in either direction after which a request fails.
        max_pool_connections: Connections that may be open at once.
        retries: Retries after the first attempt: a number, `{"max_attempts": 4}`, or with the first attempt counted
            `{"total_max_attempts": 5}`. `mode` is accepted without effect.
        s3: `{"addressing_style": "path"}` (the default; `"auto"` too) or `{"addressing_style": "virtual"}`.
        request_checksum_calculation: `"when_supported"` (the default) sends a CRC-32 with each body, as IBM's SDK does;
            `"when_required"` sends an MD5, which older services know.
        **others: Options of botocore that have no effect here, such as `parameter_validation` or `tcp_keepalive`.

    Raises:
        InvalidConfigError: An option is not known, or its value is invalid.
    """

    def __init__(
        self,
        *,
        region_name: str | None = None,
        signature_version: Any = None,
        user_agent: str | None = None,
        user_agent_extra: str | None = None,
        user_agent_appid: str | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        max_pool_connections: int | None = None,
        retries: int | Mapping[str, Any] | None = None,
        s3: Mapping[str, Any] | None = None,
        request_checksum_calculation: str | None = None,
        **others: Any,
    ) -> None:
        given = {name for name, value in others.items() if value not in (None, False)}
        if unknown := sorted(given - set(_WITHOUT_EFFECT)):
            raise InvalidConfigError(
                f"Config: unsupported option {', '.join(unknown)}; the options are {', '.join(_options())}"
            )
        if not any(signature_version is one or signature_version == one for one in _SIGNATURES):
            raise InvalidConfigError(f"Config: signature_version is 'oauth', 's3v4' or UNSIGNED, not {signature_version!r}")
        if request_checksum_calculation not in ("when_supported", "when_required", None):
            raise InvalidConfigError(
                "Config: request_checksum_calculation is 'when_supported' or 'when_required', "
                f"not {request_checksum_calculation!r}"
            )
        styles = dict(s3 or {})
        style = styles.pop("addressing_style", None)
        if style not in _STYLES:
            raise InvalidConfigError(f"Config: s3.addressing_style is 'path', 'virtual' or 'auto', not {style!r}")
        # Turning off an option that is not supported is accepted.
        enabled = {name for name, value in styles.items() if value not in (None, False)}
        if unknown := sorted(enabled - {"payload_signing_enabled", "us_east_1_regional_endpoint"}):
            raise InvalidConfigError(
                f"Config: unsupported option s3.{', s3.'.join(unknown)}; the option is s3.addressing_style"
            )
        self.region_name = region_name
        self.signature_version = signature_version
        self.user_agent = user_agent
        self.user_agent_extra = user_agent_extra
        self.user_agent_appid = user_agent_appid
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.max_pool_connections = max_pool_connections
        self.retries = retries
        self.s3 = dict(s3) if s3 is not None else None
        self.request_checksum_calculation = request_checksum_calculation
        self._attempts = _attempts(retries)
        self._style = _STYLES[style]
        self._given = {name: value for name, value in _options_of(self).items() if value is not None} | others

    def merge(self, other_config: Config) -> Config:
        """Return a copy of these options, overridden by those set in `other_config`."""
        return Config(**{**self._given, **other_config._given})

    def applied(self, base: ClientConfig | None = None) -> ClientConfig:
        """Return the options as settings of the typed client.

        Args:
            base: Settings for options that are None; None is `ClientConfig()`.
        """
        base = base or ClientConfig()
        app = self.user_agent_appid and f"app/{self.user_agent_appid}"
        agent = " ".join(filter(None, (self.user_agent, self.user_agent_extra, app)))
        return replace(
            base,
            connect_timeout=base.connect_timeout if self.connect_timeout is None else self.connect_timeout,
            idle_timeout=base.idle_timeout if self.read_timeout is None else self.read_timeout,
            max_connections=base.max_connections if self.max_pool_connections is None else self.max_pool_connections,
            retry=base.retry if self._attempts is None else replace(base.retry, attempts=self._attempts),
            addressing=cast("Any", self._style),
            region=self.region_name or base.region,
            checksum="md5" if self.request_checksum_calculation == "when_required" else "crc32",
            user_agent=agent or base.user_agent,
        )

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={value!r}' for name, value in self._given.items())})"


def _options() -> list[str]:
    named = [name for name, p in inspect.signature(Config.__init__).parameters.items() if p.kind is p.KEYWORD_ONLY]
    return [*named, *_WITHOUT_EFFECT]


def _options_of(config: Config) -> dict[str, Any]:
    return {name: getattr(config, name) for name in _options() if hasattr(config, name)}


def _attempts(retries: int | Mapping[str, Any] | None) -> int | None:
    """Return the number of attempts, including the first; None if `retries` is None.

    botocore's `max_attempts` doesn't count the first attempt.
    """
    if retries is None:
        return None
    given = {"max_attempts": retries} if isinstance(retries, int) else dict(retries)
    if unknown := sorted(set(given) - {"max_attempts", "total_max_attempts", "mode"}):
        raise InvalidConfigError(
            f"Config: retries has no {', '.join(unknown)}; it has max_attempts, total_max_attempts and mode"
        )
    total, more = given.get("total_max_attempts"), given.get("max_attempts")
    value = total if total is not None else RetryConfig().attempts if more is None else more + 1
    if not isinstance(value, int) or value < 1:
        raise InvalidConfigError(f"Config: retries is a number of attempts, not {retries!r}")
    return value
