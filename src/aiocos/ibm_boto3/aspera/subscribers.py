"""Subscribers: callbacks for the start, progress and end of Aspera transfers."""

from __future__ import annotations

from typing import Any

from aiocos.ibm_boto3.s3.subscribers import BaseSubscriber


class AsperaBaseSubscriber(BaseSubscriber):
    """Base class of subscribers: override the methods you need. They may be async.

    Exceptions that they raise are logged and do not affect the transfer.
    """

    def on_queued(self, future: Any, **kwargs: Any) -> Any:
        """Handle that the transfer was queued."""

    def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> Any:
        """Handle progress; `bytes_transferred` counts all bytes so far."""

    def on_done(self, future: Any, **kwargs: Any) -> Any:
        """Handle the end of the transfer: completed, failed or cancelled."""
