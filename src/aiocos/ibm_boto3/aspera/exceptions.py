"""Exceptions of the Aspera transfer manager."""

from aiocos.ibm_boto3.exceptions import BotoCoreError


class AsperaTransferQueueError(BotoCoreError):
    """A transfer was not queued: the queue is full or the manager is shutting down."""


class AsperaTransferFailedError(BotoCoreError):
    """A transfer failed; `__cause__` is the reason."""
