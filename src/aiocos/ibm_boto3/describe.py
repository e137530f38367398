"""Texts that describe the methods: of each operation and of its parameters.

The texts are the string literals under the fields of the operation in the source. They are read when `help()` or an editor asks
for them, never for a call.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from aiocos.describe import field_texts, summary_of
from aiocos.ibm_boto3 import inputs, names
from aiocos.wire.document import Document
from aiocos.wire.spec import Operation

_NAME = re.compile(r"`(\w+)(?=[`=])")
# Sentences about the typed client only: its methods and classes, and its exceptions.
_TYPED_ONLY = re.compile(
    r"`(?:[a-z_]+\.[a-z_]+|Client\.\w+|Listing|Stored|timedelta|\w+Configuration)`|^Raises |^Example|await cos\."
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_RAISES = "Raises `ClientError` if the service returns an error, and `ParamValidationError` for invalid parameters."
_LEFT_OUT = (
    (re.compile(r"\bNone or False\b"), "False, or leaving it out,"),
    (re.compile(r"\bNone (?=\(default\)|[a-z]+s\b|doesn't)"), "Leaving it out "),
    (re.compile(r"\bNone: "), "Left out: "),
    (re.compile(r"\bNone (?=if\b)"), "Left out "),
    (re.compile(r"; needs a time zone"), ""),
)
"""Wording of the typed client, where None leaves a parameter out, and the wording here."""

OWN_TEXTS = {
    **inputs.OTHER_TEXTS,
    "AdditionalRetentionPeriod": "Seconds to add to the current period. Not for indefinite retention, which has no end.",
    "CORSConfiguration": "The new rules: `CORSRules`, as `get_bucket_cors` returns them.",
    "CopySource": "Object to copy: `{'Bucket': …, 'Key': …, 'VersionId': …}`, or text of the form `bucket/key?versionId=id`.",
    "CopySourceRange": "Bytes of the source to copy, such as `bytes=0-99` (both ends count). All if it is left out.",
    "CreateBucketConfiguration": (
        "`LocationConstraint`: location and storage class, such as `us-south-smart`. It must fit the endpoint. "
        "The endpoint's default class if it is left out."
    ),
    "Expires": "Time at which the content becomes stale.",
    "ExtendRetentionFromCurrentTime": "Seconds from now until the new period ends, between the bucket's minimum and maximum.",
    "LifecycleConfiguration": "The new rules: `Rules`, as `get_bucket_lifecycle_configuration` returns them.",
    "Metadata": (
        "User metadata, by name and without the prefix `x-amz-meta-`. Names and values are ASCII: percent-encode other "
        "characters. Names ignore case and come back in lower case."
    ),
    "NewRetentionExpirationDate": "Time at which the new period ends.",
    "NewRetentionPeriod": "New period in seconds from the creation of the object.",
    "Range": "Bytes to read, such as `bytes=0-99` (both ends count) or `bytes=-100` for the last 100. All if it is left out.",
    "ReplicationConfiguration": "The new rules: `Rules`, as `get_bucket_replication` returns them.",
    "RetentionPeriod": "Seconds from creation. -1: no end set. -2: for ever, if the bucket allows it.",
    "Tagging": (
        "Tags of the object, URL-encoded: `k=v&k2=v2`. At most 10; keys have 1 to 128 characters, values up to 256. "
        "Left out: none."
    ),
    "UploadId": "Id of the upload, from `create_multipart_upload` or `list_multipart_uploads`.",
}
"""Texts of parameters whose form or name differs from that of the typed client, by the parameter's name."""

_CHECKSUM = (
    "Checksum to compute and send: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`. "
    "Left out: the one that the client's settings name, by default a CRC-32."
)
_METHODS = {"objects.put": "put_object", "buckets.create": "create_bucket", "ConfigError": "ParamValidationError"}
"""Names of the typed client in texts of parameters, and those of this interface."""

_TAGS = "The new tags: `TagSet`, a list of `{'Key': …, 'Value': …}`."


def class_text(cls: type[Any]) -> str:
    """Return the docstring of a class, without indentation."""
    return summary_of(cls)


def operation_text(cls: type[Operation[Any]]) -> str:
    """Return the text of an operation, without the parts about the typed client only."""
    kept: list[str] = []
    for paragraph in class_text(cls).split("\n\n"):
        sentences = [one for one in _SENTENCE.split(paragraph) if not _TYPED_ONLY.search(one)]
        kept += [" ".join(" ".join(sentences).split())] if sentences else []
    text = _renamed("\n\n".join(kept), {p.name: names.of_parameter(p) for p in cls.spec.parameters})
    return f"{text}\n\n{_RAISES}"


def attribute_texts(cls: type[Document]) -> dict[str, str]:
    """Return the text of each field of a document, by the field's name.

    The texts mention fields by their member names in `ibm_boto3`.
    """
    renames = {field: names.of_field(cls, field) for field in cls.model_fields}
    return {field: _renamed(text, renames) for field, text in field_texts(cls).items() if field in renames}


def member_texts(cls: type[Document]) -> dict[str, str]:
    """Return the text of each field as a dictionary member, by the field's name.

    A field that is None is missing from the dictionary, and the texts say so.
    """
    return {field: _as_missing(text) for field, text in attribute_texts(cls).items()}


def _as_missing(text: str) -> str:
    text = re.sub(r"\bNone (?=[a-z]+s\b)", "Leaving it out ", text)
    return re.sub(r"\bNone\b", lambda found: "Missing" if text[: found.start()].endswith((". ", "\n")) else "missing", text)


def _renamed(text: str, renames: dict[str, str]) -> str:
    return _NAME.sub(lambda found: f"`{renames.get(found[1], found[1])}", text)


def parameter_texts(cls: type[Operation[Any]]) -> dict[str, str]:
    """Return the text of each parameter of an operation's method, by its name.

    The text is empty for a parameter without one.
    """
    members, texts = inputs.input_members(cls.spec), field_texts(cls)
    renames = {member.field: name for name, member in members.items()}
    out: dict[str, str] = {}
    for name in inputs.input_names(cls.spec):
        text = _renamed(texts.get(members[name].field, ""), renames) if name in members else ""
        if name == "Tagging" and cls.spec.body is not None and not cls.spec.has_payload:
            text = _TAGS
        elif name == "ChecksumAlgorithm" and cls.spec.has_payload:
            text = _CHECKSUM
        elif name not in members or (name in OWN_TEXTS and (name != "ChecksumAlgorithm")):
            text = OWN_TEXTS[name]
        out[name] = _as_left_out(text)
    return out


def _as_left_out(text: str) -> str:
    """Return a text of the typed client in the wording of this interface.

    A parameter that is None there is left out here. Times without a zone are UTC here, so "needs a time zone" is removed.
    """
    text = " ".join(text.split())
    for pattern, wording in _LEFT_OUT:
        text = pattern.sub(wording, text)
    for name, method in _METHODS.items():
        text = text.replace(name, method)
    return text


def method_text(cls: type[Operation[Any]]) -> str:
    """Return the docstring of an operation's method, with an entry per parameter."""
    entries = [
        textwrap.fill(f"{name}: {' '.join(text.split())}", 100, initial_indent="    ", subsequent_indent=" " * 8)
        for name, text in parameter_texts(cls).items()
    ]
    paragraphs = [textwrap.fill(one, 104) for one in operation_text(cls).split("\n\n")]
    return "\n".join(["\n\n".join(paragraphs), "", "Args:", *entries])
