"""Remember which buckets are under Key Protect, where ETags may not be MD5s."""

from __future__ import annotations

import time

# Seconds for which a bucket is not looked up again, and the number of buckets remembered.
_TTL = 300.0
_MAX_BUCKETS = 1_000


class KeyProtectBuckets:
    """Buckets of one client that were under Key Protect in the last five minutes."""

    def __init__(self) -> None:
        # Bucket → time until which it counts as under Key Protect.
        self._until: dict[str, float] = {}

    def __contains__(self, bucket: str) -> bool:
        return self._until.get(bucket, 0.0) > time.monotonic()

    def add(self, bucket: str) -> None:
        """Remember a bucket."""
        if len(self._until) >= _MAX_BUCKETS:
            self._until.clear()
        self._until[bucket] = time.monotonic() + _TTL
