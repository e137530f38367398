"""Settings of Aspera transfers and their manager."""

from __future__ import annotations

from typing import Any, Literal

# A second session gains nothing for smaller files.
_MIN_THRESHOLD_MB = 60
_WITHOUT_EFFECT = (
    "target_rate_mbps",
    "target_rate_cap_mbps",
    "min_rate_cap_mbps",
    "min_rate_mbps",
    "rate_policy",
    "lock_min_rate",
    "lock_target_rate",
    "lock_rate_policy",
)


class AsperaConfig:
    """Settings of a transfer.

    Args:
        target_rate_mbps: Validated and logged, without effect: HTTPS is as fast as the connection. So are the next seven.
        target_rate_cap_mbps: Without effect.
        min_rate_cap_mbps: Without effect.
        min_rate_mbps: Without effect.
        rate_policy: Without effect.
        lock_min_rate: Without effect.
        lock_target_rate: Without effect.
        lock_rate_policy: Without effect.
        multi_session: Parts in flight, or files of a directory. `"all"` is `ascp_max_concurrent` of the manager; None leaves it
            to the settings of the client.
        multi_session_threshold_mb: Size in units of 10**6 bytes, at least 60, from which a file uses several sessions. Files in
            directories ignore it.
        destination_root: Must be None: give the whole key of an upload, the whole path of a download.

    Raises:
        ValueError: A value is invalid, or `destination_root` is given.
    """

    def __init__(
        self,
        target_rate_mbps: int | None = None,
        target_rate_cap_mbps: int | None = None,
        min_rate_cap_mbps: int | None = None,
        min_rate_mbps: int | None = None,
        rate_policy: Literal["fixed", "high", "fair", "low"] | None = None,
        lock_min_rate: bool | None = None,
        lock_target_rate: bool | None = None,
        lock_rate_policy: bool | None = None,
        multi_session: int | Literal["all"] | None = None,
        multi_session_threshold_mb: int | None = None,
        destination_root: str | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "target_rate_mbps": _number("target_rate_mbps", target_rate_mbps),
            "target_rate_cap_mbps": _number("target_rate_cap_mbps", target_rate_cap_mbps),
            "min_rate_cap_mbps": _number("min_rate_cap_mbps", min_rate_cap_mbps),
            "min_rate_mbps": _number("min_rate_mbps", min_rate_mbps),
            "rate_policy": _policy(rate_policy),
            "lock_min_rate": _bool("lock_min_rate", lock_min_rate),
            "lock_target_rate": _bool("lock_target_rate", lock_target_rate),
            "lock_rate_policy": _bool("lock_rate_policy", lock_rate_policy),
        }
        self.without_effect = {name: given[name] for name in _WITHOUT_EFFECT if given[name] is not None}
        """Settings that were given and have no effect."""
        self._all = multi_session == "all"
        self._sessions = 0 if self._all else _number("multi_session", multi_session) or 0
        threshold = _number("multi_session_threshold_mb", multi_session_threshold_mb)
        if threshold is not None and threshold < _MIN_THRESHOLD_MB:
            raise ValueError(f"multi_session_threshold_mb must be >= {_MIN_THRESHOLD_MB}")
        self.threshold = None if threshold is None else threshold * 10**6
        """Bytes from which a file uses several sessions; None has no limit."""
        if destination_root is not None:
            raise ValueError("destination_root is not supported: give the whole key of an upload, the whole path of a download")

    @property
    def multi_session(self) -> int:
        """Number of sessions: 0 if none was given, -1 for all."""
        return -1 if self._all else self._sessions

    @property
    def is_multi_session_all(self) -> bool:
        """True for `multi_session="all"`."""
        return self._all

    def __repr__(self) -> str:
        return f"AsperaConfig(multi_session={self.multi_session}, threshold={self.threshold} bytes)"


class AsperaManagerConfig:
    """Settings of the manager.

    Args:
        max_submission_queue_size: Transfers that may wait in the queue; 100 by default.
        ascp_max_concurrent: Sessions of all running transfers together; 10 by default. A transfer counts as its
            `multi_session`, or as one.
        ascp_log_path: Accepted without effect: it concerns Aspera's program.
        max_fasp_cache_size: Accepted without effect: it concerns Aspera's program.
        verify_ssl: Accepted without effect: certificates are a setting of the client.

    Raises:
        ValueError: A number is below 1.
    """

    def __init__(
        self,
        max_submission_queue_size: int = 100,
        ascp_max_concurrent: int = 10,
        ascp_log_path: str | None = None,
        max_fasp_cache_size: int = 1000,
        verify_ssl: bool = True,
    ) -> None:
        for name, value in (
            ("max_submission_queue_size", max_submission_queue_size),
            ("ascp_max_concurrent", ascp_max_concurrent),
        ):
            if not _number(name, value):
                raise ValueError(f"{name} must be >= 1")
        self.max_submission_queue_size = max_submission_queue_size
        self.ascp_max_concurrent = ascp_max_concurrent
        self.ascp_log_path = ascp_log_path
        self.max_fasp_cache_size = max_fasp_cache_size
        self.verify_ssl = verify_ssl


def _number(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} should be value of type (int)")
    if value < 0:
        raise ValueError(f"{name} must be >= 0")
    return value


def _bool(name: str, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} should be value of type (bool)")
    return value


def _policy(value: Any) -> str | None:
    if value is not None and value not in ("fixed", "high", "fair", "low"):
        raise ValueError(f"rate_policy can be fixed, high, fair or low, not {value!r}")
    return value
