"""Resources: buckets, objects and their settings as things with methods, `ibm_boto3.resource("s3", …)` with `await` added.

::

    async with ibm_boto3.resource("s3", ibm_api_key_id="…", ibm_service_instance_id="crn:…", endpoint_url="…") as cos:
        await cos.Object("photos", "a.txt").put(Body="text")
        async for item in cos.Bucket("photos").objects.filter(Prefix="a"):
            print(item.key, item.size)
        acl = await cos.Bucket("photos").Acl()
        print(acl.owner["DisplayName"])

What stands in `table` is made into classes by `base`.
"""

from aiocos.ibm_boto3.resource.base import Resource, ResourceMeta, ResourceNotLoadedError
from aiocos.ibm_boto3.resource.collection import Collection, DeletableCollection
from aiocos.ibm_boto3.resource.service import ServiceResource

__all__ = [
    "Collection",
    "DeletableCollection",
    "Resource",
    "ResourceMeta",
    "ResourceNotLoadedError",
    "ServiceResource",
]
