"""All resources there are: stated once, in the words of `kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiocos.ibm_boto3.exceptions import ClientError
from aiocos.ibm_boto3.resource.kinds import Action, Kind, Many, asked, result_of
from aiocos.operations import listing, multipart
from aiocos.operations.buckets import BucketEntry

# ---------------------------------------------------------------------------------------------------------------------
# Data that is found in another way than by one call about the resource.


async def _in_list(client: Any, identifiers: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the list of buckets says of one: nothing where it is somebody else's, or the list may not be read."""
    try:
        answer = await client.list_buckets(**given)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "AccessDenied":
            raise
        return {}
    entries: list[dict[str, Any]] = answer.get("Buckets", [])
    found = [entry for entry in entries if entry["Name"] == identifiers["Bucket"]]
    return found[0] if found else {}


async def _as_entry(client: Any, identifiers: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What HEAD says of an object, with its length under the name that it has in listings."""
    answer = await client.head_object(**{**identifiers, **given})
    if "ContentLength" in answer:
        answer["Size"] = answer.pop("ContentLength")
    return answer


# ---------------------------------------------------------------------------------------------------------------------
# What several have in common.

_OBJECT = {"bucket_name": "Bucket", "key": "Key"}
_KEYED = {"bucket_name": "Bucket", "object_key": "Key"}

_OBJECT_ACTIONS = {
    "copy_from": Action("copy_object"),
    "delete": Action("delete_object"),
    "get": Action("get_object", changes=False),
    "initiate_multipart_upload": Action("create_multipart_upload", gives="MultipartUpload", changes=False),
    "put": Action("put_object"),
    "restore_object": Action("restore_object"),
}
_OBJECT_WAITERS = {"wait_until_exists": "object_exists", "wait_until_not_exists": "object_not_exists"}
_OBJECT_CHILDREN = {"Acl": "ObjectAcl", "Bucket": "Bucket", "MultipartUpload": "MultipartUpload", "Version": "ObjectVersion"}


def _status(status: str) -> Action:
    return Action("put_bucket_versioning", fixed={"VersioningConfiguration": {"Status": status}})


def _setting(name: str, doc: str, get: str, actions: Mapping[str, Action], children: Mapping[str, str] | None = None) -> Kind:
    """A setting of a bucket."""
    return Kind(
        name=name,
        doc=doc,
        identifiers={"bucket_name": "Bucket"},
        document=result_of(get),
        load=asked(get),
        actions=actions,
        children={"Bucket": "Bucket"} if children is None else children,
    )


# ---------------------------------------------------------------------------------------------------------------------

_KINDS = (
    Kind(
        name="Bucket",
        doc="A bucket. Its attributes are what the list of buckets says of it: None where that names it not.",
        identifiers={"name": "Bucket"},
        document=BucketEntry,
        load=_in_list,
        actions={
            "create": Action("create_bucket"),
            "delete": Action("delete_bucket"),
            "delete_objects": Action("delete_objects", changes=False),
            "put_object": Action("put_object", gives="Object", changes=False),
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
            "multipart_uploads": Many("MultipartUpload", "list_multipart_uploads", ("Uploads",)),
            "object_versions": Many(
                "ObjectVersion",
                "list_object_versions",
                ("Versions", "DeleteMarkers"),
                # What was written before versioning was set has this one.
                default={"VersionId": "null"},
            ),
            "objects": Many("ObjectSummary", "list_objects", ("Contents",)),
        },
        absent={
            "Logging": "the service tells Activity Tracker of requests, by its Resource Configuration API",
            "Notification": "the service tells Event Notifications of changes, by its Resource Configuration API",
            "Policy": "access is given by IAM policies; there are Acl() and the client's put_public_access_block()",
        },
    ),
    _setting("BucketAcl", "Who may do what with a bucket.", "get_bucket_acl", {"put": Action("put_bucket_acl")}),
    _setting(
        "BucketCors",
        "The rules by which browsers may read a bucket from other origins.",
        "get_bucket_cors",
        {"delete": Action("delete_bucket_cors"), "put": Action("put_bucket_cors")},
    ),
    _setting(
        "BucketLifecycleConfiguration",
        "What becomes of a bucket's objects with time: archived, expired.",
        "get_bucket_lifecycle_configuration",
        {"delete": Action("delete_bucket_lifecycle"), "put": Action("put_bucket_lifecycle_configuration")},
    ),
    _setting(
        "BucketProtection",
        "How long the objects of a bucket are retained.",
        "get_bucket_protection_configuration",
        {"put": Action("put_bucket_protection_configuration")},
        {},
    ),
    _setting(
        "BucketTagging",
        "The tags of a bucket.",
        "get_bucket_tagging",
        {"delete": Action("delete_bucket_tagging"), "put": Action("put_bucket_tagging")},
    ),
    _setting(
        "BucketVersioning",
        "Whether a bucket keeps former versions of objects.",
        "get_bucket_versioning",
        {"enable": _status("Enabled"), "put": Action("put_bucket_versioning"), "suspend": _status("Suspended")},
    ),
    _setting(
        "BucketWebsite",
        "A bucket as a website.",
        "get_bucket_website",
        {"delete": Action("delete_bucket_website"), "put": Action("put_bucket_website")},
    ),
    Kind(
        name="MultipartUpload",
        doc="An upload in parts that was begun and neither completed nor aborted.",
        identifiers={**_KEYED, "id": "UploadId"},
        document=multipart.UploadEntry,
        found="bucket.multipart_uploads.all()",
        actions={
            "abort": Action("abort_multipart_upload"),
            "complete": Action("complete_multipart_upload", gives="Object"),
        },
        children={"Object": "Object", "Part": "MultipartUploadPart"},
        collections={"parts": Many("MultipartUploadPart", "list_parts", ("Parts",))},
    ),
    Kind(
        name="MultipartUploadPart",
        doc="One part of an upload; its number is 1 to 10,000.",
        identifiers={**_KEYED, "multipart_upload_id": "UploadId", "part_number": "PartNumber"},
        document=multipart.Part,
        found="multipart_upload.parts.all()",
        actions={"copy_from": Action("upload_part_copy"), "upload": Action("upload_part")},
        children={"MultipartUpload": "MultipartUpload"},
    ),
    Kind(
        name="Object",
        doc="An object. Its attributes are what HEAD says of it.",
        identifiers=_OBJECT,
        document=result_of("head_object"),
        load=asked("head_object"),
        actions=_OBJECT_ACTIONS,
        waiters=_OBJECT_WAITERS,
        children={**_OBJECT_CHILDREN, "Protection": "ObjectProtection"},
    ),
    Kind(
        name="ObjectAcl",
        doc="Who may do what with an object.",
        identifiers=_KEYED,
        document=result_of("get_object_acl"),
        load=asked("get_object_acl"),
        actions={"put": Action("put_object_acl")},
        children={"Object": "Object"},
    ),
    Kind(
        name="ObjectProtection",
        doc="The retention of an object, and its legal holds.",
        identifiers=_KEYED,
        document=result_of("list_legal_holds"),
        load=asked("list_legal_holds"),
        actions={
            "add_legal_hold": Action("add_legal_hold"),
            "delete_legal_hold": Action("delete_legal_hold"),
            "extend_object_retention": Action("extend_object_retention"),
            "list_legal_holds": Action("list_legal_holds", changes=False),
        },
    ),
    Kind(
        name="ObjectSummary",
        doc="An object as a listing has it.",
        identifiers=_OBJECT,
        document=listing.ObjectEntry,
        load=_as_entry,
        actions=_OBJECT_ACTIONS,
        waiters=_OBJECT_WAITERS,
        children={**_OBJECT_CHILDREN, "Object": "Object"},
        deleted_by=("Key",),
    ),
    Kind(
        name="ObjectVersion",
        doc="A version of an object, or the marker that its deletion left.",
        identifiers={**_KEYED, "id": "VersionId"},
        document=listing.ObjectVersion,
        found="bucket.object_versions.all()",
        actions={
            "delete": Action("delete_object"),
            "get": Action("get_object", changes=False),
            "head": Action("head_object", changes=False),
        },
        children={"Object": "Object"},
        deleted_by=("Key", "VersionId"),
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
"""The kinds of resources, by name."""

SERVICE = Kind(
    name="ServiceResource",
    doc="",
    actions={"create_bucket": Action("create_bucket", gives="Bucket")},
    children={name: name for name in KINDS},
    collections={"buckets": Many("Bucket", "list_buckets", ("Buckets",), said={"Bucket": "Name"})},
)
"""Where everything begins."""
