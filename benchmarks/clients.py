"""The compared clients by name."""

from __future__ import annotations

import client_aiocos as ours
import client_aiohttp as bare
import client_peers as peers
from client_base import Client, Missing, Store, each

__all__ = ["CLIENTS", "Client", "Missing", "Store", "each"]

CLIENTS: dict[str, type[Client]] = {
    "python": bare.Python,
    "aiohttp": bare.Aiohttp,
    "aiohttp-tuned": bare.AiohttpTuned,
    "aiohttp-floor": bare.AiohttpFloor,
    "aiohttp+pydantic": bare.AiohttpPydantic,
    "hashlib-md5": bare.Hashlib,
    "aiocos": ours.Aiocos,
    "aiocos-nofast": ours.AiocosNoFast,
    "aiocos-hmac": ours.AiocosHmac,
    "aiocos-session": ours.AiocosSession,
    "aiocos-md5": ours.AiocosMd5,
    "aiocos-crc32": ours.AiocosCrc32,
    "aiocos-unverified": ours.AiocosUnverified,
    "aiocos.ibm_boto3": ours.Face,
    "obstore": peers.Obstore,
    "obstore-unsigned": peers.ObstoreUnsigned,
    "obstore-threads": peers.ObstoreThreads,
    "aiobotocore": peers.Aiobotocore,
    "aiobotocore-unsigned": peers.AiobotocoreUnsigned,
    "ibm_boto3-16": peers.IbmBoto3,
    "ibm_boto3-64": peers.IbmBoto3Wide,
    "miniopy-async": peers.Miniopy,
    "s3fs": peers.S3fs,
}
