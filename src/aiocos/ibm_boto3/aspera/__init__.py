"""`AsperaTransferManager` by its names, over parallel HTTPS.

::

    from aiocos.ibm_boto3.aspera import AsperaTransferManager

    async with AsperaTransferManager(cos) as manager:
        future = manager.upload("film.bin", "films", "film.bin")
        await future.result()

No Aspera is spoken: it needs programs of its own, and IBM's SDK calls its use deprecated. The transfers are those of
`aiocos.Client`, in parallel parts. Whoever has code for the manager keeps it; what only Aspera could do is said where it is
asked.
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
