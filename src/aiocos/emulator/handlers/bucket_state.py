"""Checks of a bucket's current state, and of settings that exclude each other."""

from aiocos.emulator.context import no_bucket
from aiocos.emulator.store import BucketRow, Transaction, buckets
from aiocos.errors import InvalidBucketState


def current_bucket(t: Transaction, bucket: BucketRow) -> BucketRow:
    """Return the current row of a bucket.

    Raises `NoSuchBucket` if it was removed since the request began.
    """
    found = buckets.find(t.connection, bucket.name)
    if found is None or found.id != bucket.id:
        raise no_bucket()
    return found


def invalid_state(message: str) -> InvalidBucketState:
    """Build the error for settings that exclude each other."""
    return InvalidBucketState(message, status=409, code="InvalidBucketState")


def refuse_retention_policy(bucket: BucketRow, what: str) -> None:
    """Raise `InvalidBucketState` if a bucket has a retention policy.

    `what` names the setting that a retention policy excludes.
    """
    if "protection" in bucket.settings:
        raise invalid_state(f"The bucket has a retention policy, which excludes {what}.")


def require_versioning(bucket: BucketRow, what: str) -> None:
    """Raise `InvalidBucketState` if a bucket's versioning is not enabled.

    `what` names the setting that needs versioning.
    """
    if bucket.versioning != "Enabled":
        raise invalid_state(f"{what} needs versioning.")
