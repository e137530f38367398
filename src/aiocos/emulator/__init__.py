"""An emulator of COS and IAM that runs in your process.

Use it for tests, offline work and experiments.

::

    async with Emulator() as emulator, emulator.client() as cos:
        await cos.buckets.create("photos")
        emulator.faults.script([Status(503, retry_after=1, operation="PutObject")])

It uses the same operation specs as the client to parse requests, and the same functions to compute checksums. It shares no
other code with it.

Where the documentation of the service does not say what happens, the emulator does the following:

* An unknown bearer token is 401 `InvalidToken`, an expired one 401 `ExpiredToken`.
* A failed `If-Unmodified-Since` is 412 on a write and 304 on a read, as documented; `If-Match` on a key without an object is
  412.
* `Retention-*` headers for a bucket without a policy are 400 `InvalidRequest`. Deleting or overwriting an object under
  retention is 403 `AccessDenied`.
* SSE-C: content is stored unencrypted, with the MD5 of the key. A read without the key is 400 `InvalidRequest`, with another
  key 403 `AccessDenied`.
* A copy keeps the ETag of its source, also the ETag of a multipart upload.
* Checksums follow S3, with which IBM announces parity. An object has one: the one that was sent, or a CRC64NVME that the
  emulator computes. Several in one request, and malformed ones, are 400 `InvalidRequest`. Reads show the checksum of what they
  return: the whole object, or a part with a checksum of its own. Objects of earlier releases get one when it is asked for.
* Uploads without a declared algorithm: the checksums of parts may have any algorithm; they are verified and not kept. The
  completion cannot name them (400 `InvalidPart`), and the object gets a CRC64NVME. An `x-amz-checksum-*` of the object that is
  not a CRC64NVME is ignored.
* Uploads with a declared algorithm: a part with another one is 400 `InvalidRequest`. For `FULL_OBJECT`, the checksum of a part
  that has none is computed; for `COMPOSITE`, it is 400 `InvalidRequest`, and so is a completion that does not name the checksum
  of each part. A wrong checksum of a part is `InvalidPart`, one of another algorithm `BadDigest`.
* The checksum of the object in a completion is compared: `BadDigest`. Without `x-amz-checksum-type`, the default type of the
  algorithm is meant (`COMPOSITE`, but `FULL_OBJECT` for CRC64NVME), so a CRC32 of the whole object needs `FULL_OBJECT`. Another
  type than the upload's is 400 `InvalidRequest`.
* A copy has a checksum of all its bytes: with the requested algorithm, else with that of its source, else a CRC64NVME. Objects
  with a customer key have checksums like others.
* `Emulator(checksums=False)`, or setting `emulator.checksums`, behaves like COS before August 2025, which ignored
  `x-amz-checksum-*`.
* A second completion of an upload with the same parts returns the response of the first one, regardless of its conditions,
  while the version that the first one created exists; with other parts, or later, it is 404 `NoSuchUpload`. Deleting a bucket
  discards its open uploads.
* A location without a storage class (`eu-de`) means `eu-de-standard`. The name of a deleted bucket can be used again at once.
* Unsupported sub-resources, MFA delete, and grants to anyone but everybody are 501 `NotImplemented`.
* Version ids are UUIDs; responses include them once versioning was enabled. Reading a key whose latest version is a delete
  marker is 404, reading the marker by its id 405 `MethodNotAllowed`, both with `x-amz-delete-marker`. Deleting a version that
  does not exist is 204.
* Bucket settings that exclude each other are 409 `InvalidBucketState`; replication without versioning is 400.
* Deleting a locked version is 403 `AccessDenied`; lock headers for a bucket without Object Lock are 400 `InvalidRequest`; a
  date in the past, or a mode without a date, is 400 `InvalidArgument`. Without the permission to bypass, the date of a lock can
  only be moved to a later time, also when its mode becomes `COMPLIANCE`. An expired lock counts as no lock. A year is 365 days.
  A copy does not inherit the lock of its source.
* Replicas are created together with the write. They have the version id and date of their source, are private, and are not
  replicated further; no authorization between the buckets is needed. Rules are returned as `Enabled`. Failed replications are
  retried at midnight, after a request to retry them.
* `x-ibm-forbid-overwrite` is honored; a completion honors it only if it has the header itself.
  `Emulator(honors_forbid_overwrite=False)` and `honors_conditional_completion=False` behave like services that ignore the
  header, or the conditions of a completion.
* A `Range` header with several ranges or an invalid one returns the whole object, and so does one whose `If-Range` does not
  match. Any text of `Expires` is stored. An invalid date in a condition of a read is ignored.
* With `encoding-type=url`, the first version of the listing does not encode the prefix: SDKs do not decode it.
* Tags may contain the characters that either page of the documentation allows; a bucket has at most 50. Invalid tags are
  400 `InvalidTag`. A blocked public ACL is 403 `AccessDenied`, whether canned, in a document or in grant headers, and whether
  for everybody or for every account; uploads started before the block can be completed.
* Responses to an origin that the bucket's CORS rules allow have the CORS headers, whatever their status. A preflight request
  without a matching rule is 403 `AccessDenied`. The Aspera key and endpoint are made up and returned only for IAM tokens.
* `bucket.localhost`, `bucket.s3.localhost` and `bucket.s3.<region>.localhost` address a bucket; the same hosts without the
  bucket address the service.
* A signature must cover Host, Content-MD5, all `x-amz-*` headers, and If-Range if Range is signed, as on S3; otherwise 403
  `AccessDenied` with `HeadersNotSigned`. A signed body needs `x-amz-content-sha256`. Presigned URLs are valid for up to 7 days,
  as on S3.
* Every announced trailer must be sent, and no other: otherwise 400 `MalformedTrailerError`. Trailers of signed chunks must be
  signed.
* A body that sends nothing for 60 s is 400 `RequestTimeout`; a body that is malformed as HTTP is 400 `IncompleteBody`.
* A full disk is 507 `InsufficientStorage`, except for reads and deletions, for which space is reserved.
* The owner id is the GUID of the service instance. An API key belongs to one instance; using it for another is 403.
  `GET /`, and creating a bucket with an IAM token, need `ibm-service-instance-id`; otherwise 400 `InvalidArgument`.
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
    """An emulator of COS and IAM in this process; `client()` returns clients for it.

    Use it with `async with`. The arguments are those of `Server`.
    """

    def client(
        self,
        *,
        config: "ClientConfig | None" = None,
        hmac: bool = False,
        instance: Instance | None = None,
        key: Key | None = None,
    ) -> "Client":
        """Return a client for this emulator.

        It signs requests with the time of the emulator's clock.

        Args:
            config: Settings of the client; None uses the defaults.
            hmac: Sign requests with the HMAC key pair. False uses IAM tokens for requests and HMAC for presigned URLs.
            instance: Service instance whose manager the client acts as; None is the emulator's own.
            key: Credentials of another user, from `add_api_key`; None acts as a manager.
        """
        from aiocos.client import Client

        owner = key or instance or self.instance
        crn = (key.instance if key is not None else instance or self.instance).crn
        if hmac:
            client = Client(
                endpoint=self.endpoint,
                access_key_id=owner.access_key_id,
                secret_access_key=owner.secret_access_key,
                config=config,
            )
        else:
            client = Client(
                endpoint=self.endpoint,
                api_key=owner.api_key,
                service_instance_id=crn,
                access_key_id=owner.access_key_id,
                secret_access_key=owner.secret_access_key,
                iam_endpoint=self.iam_endpoint,
                config=config,
            )
        client._sign_by(self.clock.timestamp)  # pyright: ignore[reportPrivateUsage] - only for the emulator
        return client
