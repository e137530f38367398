"""The methods of buckets and objects that are transfers: the client's, with bucket and key filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiocos.ibm_boto3.client import S3Client
from aiocos.ibm_boto3.resource.base import Loadable, parameters_of
from aiocos.ibm_boto3.s3 import transfer


class BucketTransfers(Loadable):
    """Transfers from and to a bucket."""

    async def upload_file(
        self,
        Filename: transfer.Name,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload a file into the bucket, as the client's `upload_file` does."""
        at, client = parameters_of(self), self.meta.client
        await client.upload_file(Filename=Filename, **at, Key=Key, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)

    async def upload_fileobj(
        self,
        Fileobj: Any,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload what a file object gives into the bucket, as the client's `upload_fileobj` does."""
        at, client = parameters_of(self), self.meta.client
        await client.upload_fileobj(Fileobj=Fileobj, **at, Key=Key, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)

    async def download_file(
        self,
        Key: str,
        Filename: transfer.Name,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download an object of the bucket to a file, as the client's `download_file` does."""
        at, client = parameters_of(self), self.meta.client
        await client.download_file(**at, Key=Key, Filename=Filename, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)

    async def download_fileobj(
        self,
        Key: str,
        Fileobj: Any,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download an object of the bucket into a file object, as the client's `download_fileobj` does."""
        at, client = parameters_of(self), self.meta.client
        await client.download_fileobj(**at, Key=Key, Fileobj=Fileobj, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)

    async def copy(
        self,
        CopySource: Mapping[str, Any],
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        SourceClient: S3Client | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Copy an object into the bucket, as the client's `copy` does."""
        await self.meta.client.copy(
            CopySource=CopySource,
            **parameters_of(self),
            Key=Key,
            ExtraArgs=ExtraArgs,
            Callback=Callback,
            SourceClient=SourceClient,
            Config=Config,
        )


class ObjectTransfers(Loadable):
    """Transfers of an object. Those that write it drop what was loaded."""

    async def upload_file(
        self,
        Filename: transfer.Name,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload a file as the object, as the client's `upload_file` does."""
        at, client = parameters_of(self), self.meta.client
        try:
            await client.upload_file(Filename=Filename, **at, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)
        finally:
            self.meta.data = None

    async def upload_fileobj(
        self,
        Fileobj: Any,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload what a file object gives as the object, as the client's `upload_fileobj` does."""
        at, client = parameters_of(self), self.meta.client
        try:
            await client.upload_fileobj(Fileobj=Fileobj, **at, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)
        finally:
            self.meta.data = None

    async def download_file(
        self,
        Filename: transfer.Name,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download the object to a file, as the client's `download_file` does."""
        at, client = parameters_of(self), self.meta.client
        await client.download_file(**at, Filename=Filename, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)

    async def download_fileobj(
        self,
        Fileobj: Any,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download the object into a file object, as the client's `download_fileobj` does."""
        at, client = parameters_of(self), self.meta.client
        await client.download_fileobj(**at, Fileobj=Fileobj, ExtraArgs=ExtraArgs, Callback=Callback, Config=Config)

    async def copy(
        self,
        CopySource: Mapping[str, Any],
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        SourceClient: S3Client | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Copy an object to this one, as the client's `copy` does."""
        try:
            await self.meta.client.copy(
                CopySource=CopySource,
                **parameters_of(self),
                ExtraArgs=ExtraArgs,
                Callback=Callback,
                SourceClient=SourceClient,
                Config=Config,
            )
        finally:
            self.meta.data = None
