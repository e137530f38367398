"""How the manager's transfers are made, and how many of them there are at once."""

from __future__ import annotations

from typing import Any, Literal

# Less is not worth a second session.
_LEAST_MB = 60
_RATES = (
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
    """How a transfer is made.

    `multi_session` is the number of parts (of a directory: files) on their way at once; "all" is as many as the manager has
    sessions, and without it the client's own settings count. With `multi_session_threshold_mb` (10**6 bytes, 60 or more) only
    files of that size or more are carried by several sessions; of files in directories it says nothing.

    Rates (`target_rate_mbps` and its kin, `rate_policy`, locks) are looked at and have no effect, which the log says: HTTPS is
    as fast as the connection. `destination_root` is refused: give the whole key, or the whole path. Raises `ValueError`.
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
            "lock_min_rate": _truth("lock_min_rate", lock_min_rate),
            "lock_target_rate": _truth("lock_target_rate", lock_target_rate),
            "lock_rate_policy": _truth("lock_rate_policy", lock_rate_policy),
        }
        self.without_effect = {name: given[name] for name in _RATES if given[name] is not None}
        """What was given and changes nothing."""
        self._all = multi_session == "all"
        self._sessions = 0 if self._all else _number("multi_session", multi_session) or 0
        threshold = _number("multi_session_threshold_mb", multi_session_threshold_mb)
        if threshold is not None and threshold < _LEAST_MB:
            raise ValueError(f"multi_session_threshold_mb must be >= {_LEAST_MB}")
        self.threshold = None if threshold is None else threshold * 10**6
        """The bytes from which a file is carried by several sessions."""
        if destination_root is not None:
            raise ValueError("there is no destination_root here: give the whole key of an upload, the whole path of a download")

    @property
    def multi_session(self) -> int:
        """The number of sessions: 0 where none was given, -1 for all."""
        return -1 if self._all else self._sessions

    @property
    def is_multi_session_all(self) -> bool:
        """Whether it is as many as there are."""
        return self._all

    def __repr__(self) -> str:
        return f"AsperaConfig(multi_session={self.multi_session}, threshold={self.threshold} bytes)"


class AsperaManagerConfig:
    """How much the manager does at once.

    At most `max_submission_queue_size` transfers wait for their turn. Those that run have at most `ascp_max_concurrent`
    sessions together: a transfer counts for its `multi_session`, and for one without. The others are about Aspera's programs
    and its own service, and have no effect here: `ascp_log_path`, `max_fasp_cache_size`, `verify_ssl` (certificates are the
    client's matter).
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


def _truth(name: str, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} should be value of type (bool)")
    return value


def _policy(value: Any) -> str | None:
    if value is not None and value not in ("fixed", "high", "fair", "low"):
        raise ValueError(f"rate_policy can be fixed, high, fair or low, not {value!r}")
    return value
