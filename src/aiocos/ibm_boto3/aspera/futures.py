"""Futures of Aspera transfers, which can be paused."""

from __future__ import annotations

from aiocos.ibm_boto3.s3.futures import TransferFuture


class AsperaTransferFuture(TransferFuture):
    """A transfer that is queued, running or done.

    Wait for it with `await future.result()` or `await future`. `result` raises `AsperaTransferFailedError`, whose `__cause__`
    is the reason, or `CancelledError`.
    """

    def is_done(self) -> bool:
        """Return True if the transfer has ended: completed, failed or cancelled."""
        return self.done()

    def pause(self) -> bool:
        """Pause the transfer: start no further part or file.

        Parts and files in flight are completed. Returns False if the transfer has ended.
        """
        if not self.done():
            self.handle.pause()
        return self.is_paused()

    def resume(self) -> bool:
        """Continue after a pause. Return False if the transfer was not paused."""
        paused = self.is_paused()
        if paused:
            self.handle.resume()
        return paused

    def is_paused(self) -> bool:
        """Return True if the transfer is paused."""
        return not self.done() and self.handle.state == "paused"

    def is_success(self) -> bool:
        """Return True if the transfer has completed."""
        return self.done() and self.error is None

    def is_error(self) -> bool:
        """Return True if the transfer failed or was cancelled."""
        return self.error is not None

    def get_last_error(self) -> str:
        """Return the message of the error; empty if there is none."""
        return str(self.error or "")
