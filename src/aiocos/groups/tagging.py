"""`client.tagging`: read, replace and delete tags of objects and buckets."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import tagging as ops
from aiocos.wire.method import Call, Group


class Tagging(Group[Engine]):
    """Tags of objects and buckets."""

    noun = "tagging"

    get_object = Call(ops.GetObjectTagging)
    put_object = Call(ops.PutObjectTagging)
    delete_object = Call(ops.DeleteObjectTagging)
    get_bucket = Call(ops.GetBucketTagging)
    put_bucket = Call(ops.PutBucketTagging)
    delete_bucket = Call(ops.DeleteBucketTagging)
