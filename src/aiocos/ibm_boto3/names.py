"""What the parameters and the fields of operations are called in `ibm_boto3`.

Nearly all names follow from ours: `version_id` is `VersionId`, `etag` is `ETag`. The few that do not stand in the tables. The
tests hold every name against the service model of IBM's SDK.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from aiocos.wire.document import Document, NotInXml, unwrap
from aiocos.wire.spec import Body, Operation, OperationSpec, Parameter, Result

_CAPITALS = ("ACL", "ACP", "ETag", "MD5", "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "MFA", "SSE", "KMS", "URI", "ATS")
_WORDS = {word.lower(): word for word in _CAPITALS}

# Parameters, and fields that travel in headers: these mean the same wherever they stand.
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

# Fields of documents, by the document and the field.
_FIELDS = {
    ("CORSConfiguration", "rules"): "CORSRules",
    ("Tagging", "tags"): "TagSet",
    ("AccessKey", "id"): "Id",
    ("RetentionState", "retention_expires"): "RetentionPeriodExpirationDate",
    ("Retention", "retain_until"): "RetainUntilDate",
    ("LocationConstraint", "location"): "LocationConstraint",
}

# Bodies that are not called as their document.
_BODIES = {"CompleteMultipartUpload": "MultipartUpload"}

# Documents that an operation has to have here, and not in IBM's SDK, which then sends none.
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

# Fields that IBM's SDK demands (or does not) otherwise than the document does, by the document and the field.
_REQUIRED = {
    ("CORSConfiguration", "rules"): True,
    ("Grantee", "type"): True,
    ("LegalHold", "status"): False,
    ("LifecycleConfiguration", "rules"): True,
    ("LifecycleRule", "filter"): True,
    ("ReplicationConfiguration", "rules"): True,
    ("Tagging", "tags"): True,
}

# Operations whose answer is one structure with a name, beside what stands in headers.
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


# What IBM's SDK leaves out of its answers, and what is left out here for that.
_UNTOLD = {
    "ListBucketsExtended": {"Marker", "MaxKeys", "Prefix"},
    "HeadObject": {"ContentRange", "TagCount"},
    "UploadPart": {"ChecksumType", "Expiration", "VersionId"},
    "PutBucketReplicationReattempt": {"ScheduledTime"},
}


@cache
def snake(name: str) -> str:
    """`ListObjectsV2` → `list_objects_v2`: the name of an operation's method."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def pascal(name: str) -> str:
    """`checksum_crc32` → `ChecksumCRC32`."""
    if name == "id":
        return "ID"
    return "".join(_WORDS.get(word) or word.capitalize() for word in name.rstrip("_").split("_"))


@cache
def of_parameter(p: Parameter) -> str:
    """The member that a parameter of an operation is."""
    if isinstance(p.location, Body):
        document: type[Document] = p.location.of or unwrap(p.type)
        return _BODIES.get(root_of(document)) or root_of(document)
    return _HEADERS.get(p.name) or pascal(p.name)


@cache
def of_field(cls: type[Document], field: str) -> str:
    """The member that a field of a document or of a result is."""
    if is_header(cls, field):
        return _HEADERS.get(field) or pascal(field)
    return _FIELDS.get((root_of(cls), field)) or pascal(field)


@cache
def is_header(cls: type[Document], field: str) -> bool:
    """Tell whether a field of a result does not stand in its document."""
    return any(isinstance(mark, NotInXml) for mark in cls.model_fields[field].metadata)


def is_required(statement: OperationSpec, p: Parameter) -> bool:
    """Tell whether IBM's SDK demands a member of an operation."""
    return p.required and not (isinstance(p.location, Body) and statement.name in _OPTIONAL)


def is_required_in(cls: type[Document], field: str, required: bool) -> bool:
    """Tell whether IBM's SDK demands a member of a document; `required` is what the document says."""
    return _REQUIRED.get((cls.__name__, field), _REQUIRED.get((root_of(cls), field), required))


def root_of(cls: type[Document]) -> str:
    """The name of a document's root element."""
    return cls.root or cls.__name__


def untold(operation: str) -> set[str]:
    """The members of an operation's answer that IBM's SDK does not tell."""
    return _UNTOLD.get(operation, set())


@cache
def wrapper_of(operation: type[Operation[Any]]) -> str | None:
    """The member that holds the document of an operation's answer; None where its fields stand by themselves."""
    result: type[Result] = operation.spec.result
    return root_of(result) if operation.spec.name in _WRAPPED else None
