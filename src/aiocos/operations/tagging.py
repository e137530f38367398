"""Operation specs: tags of objects and buckets.

An object has at most 10 tags. A key is unique and has 1 to 128 characters (at most 256 bytes); it doesn't start with `ibm:`. A
value has 0 to 256 characters (at most 512 bytes). Letters, digits, spaces and some symbols are allowed; IBM's pages differ on
which ones, so the client checks nothing and leaves it to the service. Tags of buckets are not in IBM's documentation.

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
    """The tags to write."""

    closed: ClassVar[bool] = True

    tags: Annotated[list[Tag], BeforeValidator(_as_list), Element("TagSet/Tag")]
    """The tags, as a list of `Tag` or a dictionary of values by key."""


class TagSet(Extensible, Result):
    """The tags of a bucket."""

    root: ClassVar[str] = "Tagging"
    needed: ClassVar[tuple[str, ...]] = ("tags",)

    tags: Annotated[list[Tag], Element("TagSet/Tag")] = []
    """The tags; empty if there are none."""

    def as_dict(self) -> dict[str, str]:
        """Return the tags as a dictionary of values by key."""
        return {tag.key: tag.value for tag in self.tags}


class ObjectTagSet(TagSet):
    """The tags of an object or a version of an object."""

    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    """Id of the version that has the tags. None in a bucket without versioning."""


class ObjectTagged(Result):
    """The version whose tags were changed."""

    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    """Id of the version. None in a bucket without versioning."""


@operation("GET", "/{bucket}/{key}?tagging")
class GetObjectTagging(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectTagSet]):
    """Read an object's tags.

    Returns an `ObjectTagSet`, which is empty if the object has no tags. Raises `NoSuchKey`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to read. None reads the current version."""


@operation("PUT", "/{bucket}/{key}?tagging")
class PutObjectTagging(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectTagged]):
    """Replace all tags of an object.

    Returns an `ObjectTagged`. Raises `NoSuchKey`, and `InvalidRequest` (code `InvalidTag`) if a tag isn't allowed.

    Example: `await cos.tagging.put_object("b", "k", {"project": "apollo"})`
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    tags: Annotated[list[Tag] | dict[str, str] | TagSet, Body(md5=True, of=Tagging)]
    """The new tags: a dictionary of values by key, a list of `Tag`, or a result of `tagging.get_object`."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to tag. None tags the current version."""


@operation("DELETE", "/{bucket}/{key}?tagging", success_status=204)
class DeleteObjectTagging(ExpectedOwnerParams, Operation[ObjectTagged]):
    """Delete all tags of an object.

    Returns an `ObjectTagged`. Raises `NoSuchKey`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version whose tags to delete. None takes the current version."""


@operation("GET", "/{bucket}?tagging")
class GetBucketTagging(MirrorParams, ExpectedOwnerParams, Operation[TagSet]):
    """Read a bucket's tags.

    Not in IBM's documentation. Returns a `TagSet`. Raises `NoSuchConfiguration` if the bucket has no tags.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?tagging")
class PutBucketTagging(ExpectedOwnerParams, Operation[Result]):
    """Replace all tags of a bucket.

    Not in IBM's documentation. Raises `InvalidRequest` (code `InvalidTag`) if a tag isn't allowed.
    """

    bucket: str
    """Name of the bucket."""
    tags: Annotated[list[Tag] | dict[str, str] | TagSet, Body(md5=True, of=Tagging)]
    """The new tags: a dictionary of values by key, a list of `Tag`, or a result of `tagging.get_bucket`."""


@operation("DELETE", "/{bucket}?tagging", success_status=204)
class DeleteBucketTagging(ExpectedOwnerParams, Operation[Result]):
    """Delete all tags of a bucket.

    Not in IBM's documentation.
    """

    bucket: str
    """Name of the bucket."""
