"""Those who hear of the manager's transfers."""

from __future__ import annotations

from typing import Any

from aiocos.ibm_boto3.s3.subscribers import BaseSubscriber


class AsperaBaseSubscriber(BaseSubscriber):
    """Hears of transfers: derive, and override what you want to hear; coroutine functions are awaited.

    What its methods raise is logged, and ends nothing.
    """

    def on_queued(self, future: Any, **kwargs: Any) -> Any:
        """Hear that the transfer waits for its turn."""

    def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> Any:
        """Hear how many bytes have moved so far, in all."""

    def on_done(self, future: Any, **kwargs: Any) -> Any:
        """Hear that the transfer has ended, however."""
