"""The errors of the manager."""

from aiocos.ibm_boto3.exceptions import BotoCoreError


class AsperaTransferQueueError(BotoCoreError):
    """A transfer cannot be queued: too many wait, or the manager is about to end."""


class AsperaTransferFailedError(BotoCoreError):
    """A transfer failed; the cause says why."""
