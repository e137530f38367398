"""Names of parameters, response members and methods in `ibm_boto3`.

The names are derived from the typed operations. Nearly all names follow a rule: `version_id` is `VersionId`, `etag` is `ETag`.
The tables hold the exceptions. The tests compare every name with the service model of IBM's SDK.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from aiocos.wire.document import Document, NotInXml, unwrap
from aiocos.wire.spec import Body, Operation, OperationSpec, Parameter, Result

_CAPITALS = ("ACL", "ACP", "ETag", "MD5", "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "MFA", "SSE", "KMS", "URI", "ATS")
_WORDS = {word.lower(): word for word in _CAPITALS}

# Parameters, and fields that are sent in headers. Their names do not depend on the operation.
_HEADERS = {
    "data": "Body",
    "source": "CopySource",
    "source_if_match": "CopySourceIfMatch",
    "source_if_none_match": "CopySourceIfNoneMatch",
    "source_if_modified_since": "CopySourceIfModifiedSince",
    "source_if_unmodified_since": "CopySourceIfUnmodifiedSince",
    "source_range": "CopySourceRange",
    "source_version_id": "CopySourceVersionId",
    "bypass_governance": "BypassGovernanceRetention",
    "object_lock_enabled": "ObjectLockEnabledForBucket",
    "object_lock_legal_hold": "ObjectLockLegalHoldStatus",
    "object_lock_retain_until": "ObjectLockRetainUntilDate",
    "retention_expires": "RetentionExpirationDate",
    "legal_hold_count": "RetentionLegalHoldCount",
    "hold_id": "RetentionLegalHoldId",
    "additional_period": "AdditionalRetentionPeriod",
    "from_now": "ExtendRetentionFromCurrentTime",
    "new_expires": "NewRetentionExpirationDate",
    "new_period": "NewRetentionPeriod",
    "sdk_checksum_algorithm": "ChecksumAlgorithm",
    "service_instance_id": "IBMServiceInstanceId",
    "kp_algorithm": "IBMSSEKPEncryptionAlgorithm",
    "kp_root_key_crn": "IBMSSEKPCustomerRootKeyCrn",
    "kp_enabled": "IBMSSEKPEnabled",
    "kp_root_key_id": "IBMSSEKPCrkId",
    "management_state": "IbmProtectionManagementState",
    "transition": "IbmTransition",
    "restored_copy_storage_class": "IbmRestoredCopyStorageClass",
    "customer_algorithm": "SSECustomerAlgorithm",
    "customer_key_md5": "SSECustomerKeyMD5",
}

# Fields of documents, by root element and field.
_FIELDS = {
    ("CORSConfiguration", "rules"): "CORSRules",
    ("Tagging", "tags"): "TagSet",
    ("AccessKey", "id"): "Id",
    ("RetentionState", "retention_expires"): "RetentionPeriodExpirationDate",
    ("Retention", "retain_until"): "RetainUntilDate",
    ("LocationConstraint", "location"): "LocationConstraint",
}

# Bodies whose parameter is not named after the root element of the document.
_BODIES = {"CompleteMultipartUpload": "MultipartUpload"}

# Operations whose document is required here and optional in IBM's SDK, which then sends no body.
_OPTIONAL = frozenset(
    {
        "CompleteMultipartUpload",
        "PutBucketLifecycleConfiguration",
        "PutObjectLegalHold",
        "PutObjectLockConfiguration",
        "PutObjectRetention",
        "RestoreObject",
    }
)

# Fields that are required in IBM's SDK and optional in the document (True), or the other way round (False).
_REQUIRED = {
    ("CORSConfiguration", "rules"): True,
    ("Grantee", "type"): True,
    ("LegalHold", "status"): False,
    ("LifecycleConfiguration", "rules"): True,
    ("LifecycleRule", "filter"): True,
    ("ReplicationConfiguration", "rules"): True,
    ("Tagging", "tags"): True,
}

# Operations whose response holds the document as one named member, beside the members from headers.
_WRAPPED = frozenset(
    {
        "CopyObject",
        "UploadPartCopy",
        "GetObjectLockConfiguration",
        "GetObjectRetention",
        "GetObjectLegalHold",
        "GetBucketProtectionConfiguration",
        "GetPublicAccessBlock",
        "GetBucketReplication",
        "ListBucketReplicationFailures",
    }
)


# Members that the service returns and IBM's SDK leaves out of its responses. They are left out here as well.
_OMITTED = {
    "ListBucketsExtended": {"Marker", "MaxKeys", "Prefix"},
    "HeadObject": {"ContentRange", "TagCount"},
    "UploadPart": {"ChecksumType", "Expiration", "VersionId"},
    "PutBucketReplicationReattempt": {"ScheduledTime"},
}


@cache
def snake(name: str) -> str:
    """Return the name of an operation's method: `ListObjectsV2` → `list_objects_v2`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def pascal(name: str) -> str:
    """Return botocore's name of a field: `checksum_crc32` → `ChecksumCRC32`."""
    if name == "id":
        return "ID"
    return "".join(_WORDS.get(word) or word.capitalize() for word in name.rstrip("_").split("_"))


@cache
def of_parameter(p: Parameter) -> str:
    """Return the member name of a parameter of an operation."""
    if isinstance(p.location, Body):
        document: type[Document] = p.location.of or unwrap(p.type)
        return _BODIES.get(root_of(document)) or root_of(document)
    return _HEADERS.get(p.name) or pascal(p.name)


@cache
def of_field(cls: type[Document], field: str) -> str:
    """Return the member name of a field of a document or a result."""
    if is_header(cls, field):
        return _HEADERS.get(field) or pascal(field)
    return _FIELDS.get((root_of(cls), field)) or pascal(field)


@cache
def is_header(cls: type[Document], field: str) -> bool:
    """Return True if a result's field is read from a header, not from the document."""
    return any(isinstance(mark, NotInXml) for mark in cls.model_fields[field].metadata)


def is_required(spec: OperationSpec, p: Parameter) -> bool:
    """Return True if IBM's SDK refuses a call without this parameter."""
    return p.required and not (isinstance(p.location, Body) and spec.name in _OPTIONAL)


def is_required_in(cls: type[Document], field: str, required: bool) -> bool:
    """Return True if IBM's SDK refuses a document without this field.

    `required` is True if the typed document requires the field. This is the result unless `_REQUIRED` lists the field.
    """
    return _REQUIRED.get((cls.__name__, field), _REQUIRED.get((root_of(cls), field), required))


def root_of(cls: type[Document]) -> str:
    """Return the name of a document's root element."""
    return cls.root or cls.__name__


def omitted_members(operation: str) -> set[str]:
    """Return the members that IBM's SDK leaves out of the response to an operation."""
    return _OMITTED.get(operation, set())


@cache
def wrapper_of(operation: type[Operation[Any]]) -> str | None:
    """Return the member that holds the document of a response.

    None if the fields of the document are members of the response itself.
    """
    result: type[Result] = operation.spec.result
    return root_of(result) if operation.spec.name in _WRAPPED else None
