"""The service resource, from which all other resources are reached."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiocos.ibm_boto3.client import S3Client
from aiocos.ibm_boto3.resource.base import Resource
from aiocos.ibm_boto3.resource.classes import add_members
from aiocos.ibm_boto3.resource.definitions import SERVICE


class ServiceResource(Resource):
    """The resource of the whole service: the result of `ibm_boto3.resource("s3", …)`.

    ::

        cos.Bucket("photos")                          # and Object, BucketAcl, ObjectVersion …: no request
        async for bucket in cos.buckets.all(): ...
        bucket = await cos.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-de-smart"})

    Its client is `cos.meta.client`. Close it, or use it with `async with`.
    """

    def __init__(self, client: S3Client) -> None:
        super().__init__(client=client)

    async def close(self) -> None:
        """Close the client's connections of the running event loop.

        The resource can be used again.
        """
        await self.meta.client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


add_members(ServiceResource, SERVICE)
