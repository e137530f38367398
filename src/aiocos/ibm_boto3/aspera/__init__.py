"""`AsperaTransferManager` of IBM's SDK, over parallel HTTPS.

::

    from aiocos.ibm_boto3.aspera import AsperaTransferManager

    async with AsperaTransferManager(cos) as manager:
        future = manager.upload("film.bin", "films", "film.bin")
        await future.result()

The Aspera protocol is not used: it needs separate programs, and IBM's SDK has deprecated it. Code written for the manager
keeps working; its transfers are those of `aiocos.Client`, in parallel parts. Settings that only Aspera supports are refused, or
accepted with a line in the log.
"""

from aiocos.ibm_boto3.aspera.config import AsperaConfig, AsperaManagerConfig
from aiocos.ibm_boto3.aspera.exceptions import AsperaTransferFailedError, AsperaTransferQueueError
from aiocos.ibm_boto3.aspera.futures import AsperaTransferFuture
from aiocos.ibm_boto3.aspera.manager import AsperaTransferManager
from aiocos.ibm_boto3.aspera.subscribers import AsperaBaseSubscriber

__all__ = [
    "AsperaBaseSubscriber",
    "AsperaConfig",
    "AsperaManagerConfig",
    "AsperaTransferFailedError",
    "AsperaTransferFuture",
    "AsperaTransferManager",
    "AsperaTransferQueueError",
]
