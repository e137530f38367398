"""The models of all resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiocos.ibm_boto3.exceptions import ClientError
from aiocos.ibm_boto3.resource.model import ActionModel, CollectionModel, ResourceModel, load_by, result_document
from aiocos.operations import listing, multipart
from aiocos.operations.buckets import BucketEntry

# ---------------------------------------------------------------------------------------------------------------------
# Loaders that do more than call one method


async def _load_bucket(client: Any, identifiers: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return a bucket's entry in the list of buckets.

    The entry is empty if the bucket is not in the list, or if the service denies access to the list.
    """
    try:
        response = await client.list_buckets(**given)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "AccessDenied":
            raise
        return {}
    entries: list[dict[str, Any]] = response.get("Buckets", [])
    found = [entry for entry in entries if entry["Name"] == identifiers["Bucket"]]
    return found[0] if found else {}


async def _load_summary(client: Any, identifiers: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a HEAD request, with the length renamed to `Size`.

    Listings use the name `Size`.
    """
    response = await client.head_object(**{**identifiers, **given})
    if "ContentLength" in response:
        response["Size"] = response.pop("ContentLength")
    return response


# ---------------------------------------------------------------------------------------------------------------------
# Parts that several models share

_OBJECT = {"bucket_name": "Bucket", "key": "Key"}
_KEYED = {"bucket_name": "Bucket", "object_key": "Key"}

_OBJECT_ACTIONS = {
    "copy_from": ActionModel("copy_object"),
    "delete": ActionModel("delete_object"),
    "get": ActionModel("get_object", invalidates=False),
    "initiate_multipart_upload": ActionModel("create_multipart_upload", returns="MultipartUpload", invalidates=False),
    "put": ActionModel("put_object"),
    "restore_object": ActionModel("restore_object"),
}
_OBJECT_WAITERS = {"wait_until_exists": "object_exists", "wait_until_not_exists": "object_not_exists"}
_OBJECT_CHILDREN = {"Acl": "ObjectAcl", "Bucket": "Bucket", "MultipartUpload": "MultipartUpload", "Version": "ObjectVersion"}


def _set_versioning(status: str) -> ActionModel:
    return ActionModel("put_bucket_versioning", fixed={"VersioningConfiguration": {"Status": status}})


def _setting(
    name: str, doc: str, get: str, actions: Mapping[str, ActionModel], children: Mapping[str, str] | None = None
) -> ResourceModel:
    """Return the model of a setting of a bucket."""
    return ResourceModel(
        name=name,
        doc=doc,
        identifiers={"bucket_name": "Bucket"},
        document=result_document(get),
        load=load_by(get),
        actions=actions,
        children={"Bucket": "Bucket"} if children is None else children,
    )


# ---------------------------------------------------------------------------------------------------------------------

_MODELS = (
    ResourceModel(
        name="Bucket",
        doc="A bucket.\n\nIts attributes are those of its entry in the list of buckets; None if it is not listed.",
        identifiers={"name": "Bucket"},
        document=BucketEntry,
        load=_load_bucket,
        actions={
            "create": ActionModel("create_bucket"),
            "delete": ActionModel("delete_bucket"),
            "delete_objects": ActionModel("delete_objects", invalidates=False),
            "put_object": ActionModel("put_object", returns="Object", invalidates=False),
        },
        waiters={"wait_until_exists": "bucket_exists", "wait_until_not_exists": "bucket_not_exists"},
        children={
            "Acl": "BucketAcl",
            "Cors": "BucketCors",
            "LifecycleConfiguration": "BucketLifecycleConfiguration",
            "Object": "Object",
            "Protection": "BucketProtection",
            "Tagging": "BucketTagging",
            "Versioning": "BucketVersioning",
            "Website": "BucketWebsite",
        },
        collections={
            "multipart_uploads": CollectionModel("MultipartUpload", "list_multipart_uploads", ("Uploads",)),
            "object_versions": CollectionModel(
                "ObjectVersion",
                "list_object_versions",
                ("Versions", "DeleteMarkers"),
                # Version id of objects that were written before versioning was enabled.
                default={"VersionId": "null"},
            ),
            "objects": CollectionModel("ObjectSummary", "list_objects", ("Contents",)),
        },
        not_offered={
            "Logging": "requests are logged by Activity Tracker, which the Resource Configuration API sets up",
            "Notification": "changes are reported by Event Notifications, which the Resource Configuration API sets up",
            "Policy": "IAM policies control access; see also Acl() and the client's put_public_access_block()",
        },
    ),
    _setting("BucketAcl", "The access control list of a bucket.", "get_bucket_acl", {"put": ActionModel("put_bucket_acl")}),
    _setting(
        "BucketCors",
        "The CORS rules of a bucket, which let web pages of other origins access it.",
        "get_bucket_cors",
        {"delete": ActionModel("delete_bucket_cors"), "put": ActionModel("put_bucket_cors")},
    ),
    _setting(
        "BucketLifecycleConfiguration",
        "The lifecycle rules of a bucket, which archive and expire objects.",
        "get_bucket_lifecycle_configuration",
        {"delete": ActionModel("delete_bucket_lifecycle"), "put": ActionModel("put_bucket_lifecycle_configuration")},
    ),
    _setting(
        "BucketProtection",
        "The retention policy of a bucket.",
        "get_bucket_protection_configuration",
        {"put": ActionModel("put_bucket_protection_configuration")},
        {},
    ),
    _setting(
        "BucketTagging",
        "The tags of a bucket.",
        "get_bucket_tagging",
        {"delete": ActionModel("delete_bucket_tagging"), "put": ActionModel("put_bucket_tagging")},
    ),
    _setting(
        "BucketVersioning",
        "The versioning state of a bucket.",
        "get_bucket_versioning",
        {
            "enable": _set_versioning("Enabled"),
            "put": ActionModel("put_bucket_versioning"),
            "suspend": _set_versioning("Suspended"),
        },
    ),
    _setting(
        "BucketWebsite",
        "The static website configuration of a bucket.",
        "get_bucket_website",
        {"delete": ActionModel("delete_bucket_website"), "put": ActionModel("put_bucket_website")},
    ),
    ResourceModel(
        name="MultipartUpload",
        doc="A multipart upload that is neither completed nor aborted.",
        identifiers={**_KEYED, "id": "UploadId"},
        document=multipart.UploadEntry,
        data_source="bucket.multipart_uploads.all()",
        actions={
            "abort": ActionModel("abort_multipart_upload"),
            "complete": ActionModel("complete_multipart_upload", returns="Object"),
        },
        children={"Object": "Object", "Part": "MultipartUploadPart"},
        collections={"parts": CollectionModel("MultipartUploadPart", "list_parts", ("Parts",))},
    ),
    ResourceModel(
        name="MultipartUploadPart",
        doc="A part of a multipart upload, with a number from 1 to 10,000.",
        identifiers={**_KEYED, "multipart_upload_id": "UploadId", "part_number": "PartNumber"},
        document=multipart.Part,
        data_source="multipart_upload.parts.all()",
        actions={"copy_from": ActionModel("upload_part_copy"), "upload": ActionModel("upload_part")},
        children={"MultipartUpload": "MultipartUpload"},
    ),
    ResourceModel(
        name="Object",
        doc="An object. Its attributes are those of a HEAD response.",
        identifiers=_OBJECT,
        document=result_document("head_object"),
        load=load_by("head_object"),
        actions=_OBJECT_ACTIONS,
        waiters=_OBJECT_WAITERS,
        children={**_OBJECT_CHILDREN, "Protection": "ObjectProtection"},
    ),
    ResourceModel(
        name="ObjectAcl",
        doc="The access control list of an object.",
        identifiers=_KEYED,
        document=result_document("get_object_acl"),
        load=load_by("get_object_acl"),
        actions={"put": ActionModel("put_object_acl")},
        children={"Object": "Object"},
    ),
    ResourceModel(
        name="ObjectProtection",
        doc="The retention and the legal holds of an object.",
        identifiers=_KEYED,
        document=result_document("list_legal_holds"),
        load=load_by("list_legal_holds"),
        actions={
            "add_legal_hold": ActionModel("add_legal_hold"),
            "delete_legal_hold": ActionModel("delete_legal_hold"),
            "extend_object_retention": ActionModel("extend_object_retention"),
            "list_legal_holds": ActionModel("list_legal_holds", invalidates=False),
        },
    ),
    ResourceModel(
        name="ObjectSummary",
        doc="An object in a listing.",
        identifiers=_OBJECT,
        document=listing.ObjectEntry,
        load=_load_summary,
        actions=_OBJECT_ACTIONS,
        waiters=_OBJECT_WAITERS,
        children={**_OBJECT_CHILDREN, "Object": "Object"},
        delete_members=("Key",),
    ),
    ResourceModel(
        name="ObjectVersion",
        doc="A version of an object, or a delete marker.",
        identifiers={**_KEYED, "id": "VersionId"},
        document=listing.ObjectVersion,
        data_source="bucket.object_versions.all()",
        actions={
            "delete": ActionModel("delete_object"),
            "get": ActionModel("get_object", invalidates=False),
            "head": ActionModel("head_object", invalidates=False),
        },
        children={"Object": "Object"},
        delete_members=("Key", "VersionId"),
    ),
)

MODELS: Mapping[str, ResourceModel] = {kind.name: kind for kind in _MODELS}
"""Models of resources, by the names of their kinds."""

SERVICE = ResourceModel(
    name="ServiceResource",
    doc="",
    actions={"create_bucket": ActionModel("create_bucket", returns="Bucket")},
    children={name: name for name in MODELS},
    collections={"buckets": CollectionModel("Bucket", "list_buckets", ("Buckets",), renamed={"Bucket": "Name"})},
)
"""Model of the service resource."""
