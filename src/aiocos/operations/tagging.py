"""Tags of objects, and of buckets (which IBM's documentation does not mention).

At most 10 tags an object; keys up to 128 characters, unique, not beginning with `ibm:`; values up to 256.
https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-object-tagging
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, cast

from pydantic import BeforeValidator

from aiocos.operations.shared import ExpectedOwnerParams, MirrorParams, RequestPayerParams, Tag
from aiocos.wire.document import Document, Element, Extensible
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


def _as_list(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [Tag(key=k, value=v) for k, v in cast("Mapping[str, str]", value).items()]
    return value


class Tagging(Document):
    """The tags of something."""

    closed: ClassVar[bool] = True

    tags: Annotated[list[Tag], BeforeValidator(_as_list), Element("TagSet/Tag")]


class TagSet(Extensible, Result):
    """The tags of something as the service tells them."""

    root: ClassVar[str] = "Tagging"
    needed: ClassVar[tuple[str, ...]] = ("tags",)

    tags: Annotated[list[Tag], Element("TagSet/Tag")] = []

    def as_dict(self) -> dict[str, str]:
        """Return the tags as a dictionary."""
        return {tag.key: tag.value for tag in self.tags}


class ObjectTagSet(TagSet):
    """The tags of an object or of one version of it."""

    version_id: Annotated[str | None, Header("x-amz-version-id")] = None


class ObjectTagged(Result):
    """The version whose tags were changed."""

    version_id: Annotated[str | None, Header("x-amz-version-id")] = None


@operation("GET", "/{bucket}/{key}?tagging")
class GetObjectTagging(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectTagSet]):
    """Read an object's tags; without any, the set is empty. Raises `NoSuchKey`."""

    bucket: str
    key: str
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None


@operation("PUT", "/{bucket}/{key}?tagging")
class PutObjectTagging(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectTagged]):
    """Replace an object's tags. Raises `NoSuchKey`, `InvalidRequest` (`InvalidTag`)."""

    bucket: str
    key: str
    tags: Annotated[list[Tag] | dict[str, str] | TagSet, Body(md5=True, of=Tagging)]
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None


@operation("DELETE", "/{bucket}/{key}?tagging", success_status=204)
class DeleteObjectTagging(ExpectedOwnerParams, Operation[ObjectTagged]):
    """Remove an object's tags. Raises `NoSuchKey`."""

    bucket: str
    key: str
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None


@operation("GET", "/{bucket}?tagging")
class GetBucketTagging(MirrorParams, ExpectedOwnerParams, Operation[TagSet]):
    """Read a bucket's tags. Raises `NoSuchConfiguration`. Not in IBM's documentation."""

    bucket: str


@operation("PUT", "/{bucket}?tagging")
class PutBucketTagging(ExpectedOwnerParams, Operation[Result]):
    """Replace a bucket's tags. Not in IBM's documentation."""

    bucket: str
    tags: Annotated[list[Tag] | dict[str, str] | TagSet, Body(md5=True, of=Tagging)]


@operation("DELETE", "/{bucket}?tagging", success_status=204)
class DeleteBucketTagging(ExpectedOwnerParams, Operation[Result]):
    """Remove a bucket's tags. Not in IBM's documentation."""

    bucket: str
