"""Resources: buckets, objects and their settings as Python objects, with `await`.

The resources are those of `ibm_boto3.resource("s3", …)`.

::

    async with ibm_boto3.resource("s3", ibm_api_key_id="…", ibm_service_instance_id="crn:…", endpoint_url="…") as cos:
        await cos.Object("photos", "a.txt").put(Body="text")
        async for item in cos.Bucket("photos").objects.filter(Prefix="a"):
            print(item.key, item.size)
        acl = await cos.Bucket("photos").Acl()
        print(acl.owner["DisplayName"])

`definitions` describes each kind of resource in terms of `model`; `classes` makes the classes.
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
