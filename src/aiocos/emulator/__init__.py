"""COS in a process of your own: for tests, for work without a network, for trying things out.

::

    async with Emulator() as emulator, emulator.client() as cos:
        await cos.buckets.create("photos")
        emulator.faults.script([Status(503, retry_after=1, operation="PutObject")])

It is built on the same statements of operations as the client, and shares nothing else with it.

Where the service's documentation is silent, this was chosen:

* An unknown bearer token is answered 401 `InvalidToken`, an expired one 401 `ExpiredToken`.
* A failed `If-Unmodified-Since` is 412 on a write and 304 on a read (documented so); `If-Match` on nothing is 412.
* `Retention-*` on a bucket without a policy is 400 `InvalidRequest`; what is under retention answers 403 `AccessDenied`.
* SSE-C: content is stored as it is, with the MD5 of the key. No key: 400 `InvalidRequest`; another: 403 `AccessDenied`.
* A copy keeps the source's ETag, that of a multipart upload too. Checksums are those that were announced: none is added.
* CRC-32C and CRC-64/NVME are verified up to 16 MiB, beyond that kept as announced.
* A second completion of an upload with the same parts answers as the first did, whatever its conditions say, as long as the
  version is there that the first made; with other parts, or later, it is 404 `NoSuchUpload`. Deleting a bucket gives up its
  open uploads.
* A location without a storage class (`eu-de`) means `eu-de-standard`. The name of a removed bucket is free at once.
* Sub-resources that are not served, MFA delete, and grants to others than everybody are 501 `NotImplemented`.
* Version ids are UUIDs; answers carry them once versioning was set. A marker is 404 where it is current, by id 405
  `MethodNotAllowed`, both with `x-amz-delete-marker`. Removing a version that is not there is 204.
* Settings of a bucket that exclude each other are 409 `InvalidBucketState`; replication without versioning is 400.
* What is locked answers 403 `AccessDenied`; lock headers on a bucket without lock 400 `InvalidRequest`; a date that has passed,
  or half of a pair, 400 `InvalidArgument`. Without bypass a lock gets a later date only, also where it becomes `COMPLIANCE`.
  One that has run out counts as none. A year is 365 days. A copy does not take its source's lock along.
* Replicas are made with the write. They have the version id and the date of their source, are private, and go no further;
  nobody is asked for an authorization. Rules are answered with `Enabled`; failures are retried at midnight, when asked for.
* `x-ibm-forbid-overwrite` is honored, and by the completion only where it has the header itself.
  `Emulator(honors_forbid_overwrite=False)` and `honors_conditional_completion=False` behave like services that ignore it, or
  the conditions of a completion.
* A `Range` of several ranges, or one that makes no sense, is answered with the whole object, and so is one whose `If-Range`
  does not hold. Any text of `Expires` is kept. A condition of a read that is no date counts as none.
* Of an encoded page of the first version of the listing the prefix is not encoded: SDKs do not decode it.
* Tags hold the characters that either page of the documentation allows; a bucket has 50 at most. Tags that are not allowed are
  400 `InvalidTag`. A public list that is blocked is 403 `AccessDenied`, whether it is named, in a document or in headers, and
  whether for everybody or for everybody with an account; uploads begun before the block are completed.
* The answer to an origin that the bucket's CORS rules allow has their headers whatever its status; a preflight without a rule
  is 403 `AccessDenied`. Aspera's key and place are made up, and told to bearers of IAM tokens only.
* `bucket.localhost`, `bucket.s3.localhost` and `bucket.s3.<region>.localhost` are hosts of a bucket; without it, of all.
* A signature must cover Host, Content-MD5, all `x-amz-*`, and If-Range beside a signed Range, as on S3: else 403 `AccessDenied`
  with `HeadersNotSigned`. A signed body needs `x-amz-content-sha256`. Presigned URLs are valid for up to 7 days, as on S3.
* A trailer that was announced must come, and no other: 400 `MalformedTrailerError`. Those of signed chunks must be signed.
* A body that brings nothing for 60 s is 400 `RequestTimeout`; one that cannot be read on as HTTP, 400 `IncompleteBody`.
* A full disk answers 507 `InsufficientStorage`, except to reads and deletions, for which a reserve is kept.
* An owner's id is the GUID of the service instance. An API key stands for one instance; another one's is 403.
  `GET /` and the creation of a bucket by IAM token need `ibm-service-instance-id`: else 400 `InvalidArgument`.
"""

from typing import TYPE_CHECKING

from aiocos.emulator.clock import Clock
from aiocos.emulator.faults import (
    BadToken,
    Delay,
    ExpireToken,
    Fault,
    Faults,
    FlipBit,
    Hit,
    LateError,
    Reset,
    Status,
    Subject,
    Truncate,
)
from aiocos.emulator.server import Server
from aiocos.emulator.service import HandledRequest
from aiocos.emulator.store import Instance, Key
from aiocos.emulator.store.rows import Profile

if TYPE_CHECKING:
    from aiocos.client import Client
    from aiocos.config import ClientConfig

__all__ = [
    "BadToken",
    "Clock",
    "Delay",
    "Emulator",
    "ExpireToken",
    "Fault",
    "Faults",
    "FlipBit",
    "HandledRequest",
    "Hit",
    "Instance",
    "Key",
    "LateError",
    "Profile",
    "Reset",
    "Status",
    "Subject",
    "Truncate",
]


class Emulator(Server):
    """COS in this process, and clients for it.

    `honors_conditional_completion=False` ignores If-Match, If-None-Match and If-Unmodified-Since at CompleteMultipartUpload:
    IBM documents them for PUT, HEAD and GET only, and a service ignores headers that it does not list.
    `honors_forbid_overwrite=False` ignores `x-ibm-forbid-overwrite`, which a service's owner has to enable. Both are True by
    default. On the command line they are `aiocos emulator --ignore-conditional-completion --ignore-forbid-overwrite`.
    """

    def client(
        self,
        *,
        config: "ClientConfig | None" = None,
        hmac: bool = False,
        instance: Instance | None = None,
        key: Key | None = None,
    ) -> "Client":
        """A client of this emulator: calls by API key and presigned URLs by key pair, or with `hmac` both by key pair.

        It belongs to the manager of the emulator's own instance, or of another `instance`, or to the user of a `key`. It signs
        by the emulator's clock, however far that is moved.
        """
        from aiocos.client import Client

        owner = key or instance or self.instance
        crn = (key.instance if key is not None else instance or self.instance).crn
        if hmac:
            made = Client(
                endpoint=self.endpoint,
                access_key_id=owner.access_key_id,
                secret_access_key=owner.secret_access_key,
                config=config,
            )
        else:
            made = Client(
                endpoint=self.endpoint,
                api_key=owner.api_key,
                service_instance_id=crn,
                access_key_id=owner.access_key_id,
                secret_access_key=owner.secret_access_key,
                iam_endpoint=self.iam_endpoint,
                config=config,
            )
        made._sign_by(self.clock.timestamp)  # pyright: ignore[reportPrivateUsage] - an affair of the two
        return made
