"""A transfer of the manager's, and the hand on it."""

from __future__ import annotations

from aiocos.ibm_boto3.s3.futures import TransferFuture


class AsperaTransferFuture(TransferFuture):
    """A transfer that is queued, in progress, or done: `await future.result()`, or `await future`.

    `result` raises `AsperaTransferFailedError`, with the cause, or `CancelledError`.
    """

    def is_done(self) -> bool:
        """Whether it has ended, however."""
        return self.done()

    def pause(self) -> bool:
        """Begin no further part or file; those on their way get to their end. False where there is nothing to hold any more."""
        if not self.done():
            self.handle.pause()
        return self.is_paused()

    def resume(self) -> bool:
        """Go on after a pause. False where there was none."""
        paused = self.is_paused()
        if paused:
            self.handle.resume()
        return paused

    def is_paused(self) -> bool:
        """Whether it is held."""
        return not self.done() and self.handle.state == "paused"

    def is_success(self) -> bool:
        """Whether it has ended, and all is there."""
        return self.done() and self.error is None

    def is_error(self) -> bool:
        """Whether it has failed, or was cancelled."""
        return self.error is not None

    def get_last_error(self) -> str:
        """Say what ended it; nothing where all is well."""
        return str(self.error or "")
