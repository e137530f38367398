"""`client.website`: the website configuration of a bucket."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import website as ops
from aiocos.wire.method import Call, Group


class Website(Group[Engine]):
    """Static website hosting of buckets."""

    noun = "website"

    get = Call(ops.GetBucketWebsite)
    put = Call(ops.PutBucketWebsite)
    delete = Call(ops.DeleteBucketWebsite)
