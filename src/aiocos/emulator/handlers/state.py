"""The state of a bucket at the moment that something is written, and which of its settings exclude each other."""

from aiocos.emulator.context import no_bucket
from aiocos.emulator.store import BucketRow, Transaction, buckets
from aiocos.errors import InvalidBucketState


def still_there(t: Transaction, bucket: BucketRow) -> BucketRow:
    """The bucket as it is when something is written; refused where it was removed meanwhile."""
    found = buckets.find(t.connection, bucket.name)
    if found is None or found.id != bucket.id:
        raise no_bucket()
    return found


def bad_state(message: str) -> InvalidBucketState:
    """The error of settings that do not go together."""
    return InvalidBucketState(message, status=409, code="InvalidBucketState")


def refuse_policy(bucket: BucketRow, what: str) -> None:
    """Refuse what does not go together with a retention policy."""
    if "protection" in bucket.settings:
        raise bad_state(f"The bucket has a retention policy, which excludes {what}.")


def must_keep_versions(bucket: BucketRow, what: str) -> None:
    """Refuse what needs versioning."""
    if bucket.versioning != "Enabled":
        raise bad_state(f"{what} needs versioning.")
