"""The checksums of one upload: of its parts, and of the object they make.

A multipart upload declares its checksum when it is created, since services refuse parts with a checksum that was not declared.
CRCs are declared as `FULL_OBJECT`: the checksum of the object follows from those of the parts and is sent with the completion,
so the service compares the object as a whole. Hashes cannot be combined: the service hashes the hashes of the parts
(`COMPOSITE`), and what it returns is compared.

The checksum of the object is sent only if the service has confirmed those of all parts. It says little else, and an older
service could take it for the checksum of the XML document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiocos.body_checksum import BodyChecksum, BodyChecksums, Evidence
from aiocos.errors import ConfigError, IntegrityError
from aiocos.net.hashing import run_in_hash_pool
from aiocos.operations.multipart import CompletedPart
from aiocos.transfer.completion import ObjectChecksum
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.results import Verified
from aiocos.wire import checksum
from aiocos.wire.checksum import Algorithm


@dataclass(frozen=True, slots=True)
class _Part:
    value: bytes
    size: int
    evidence: Evidence


class UploadChecksums:
    """The checksums of one upload.

    Args:
        request: The upload.
        default: The checksum of the client.
        what: The upload, for messages.

    Raises:
        ConfigError: The checksums that the upload names are invalid.
    """

    def __init__(self, request: UploadRequest, default: BodyChecksums, what: str) -> None:
        self._what = what
        named, given = _named(request, what), _given(request, what)
        if given is not None and named not in (None, given[0]):
            raise ConfigError(
                f"the {what}: checksum_algorithm is {request.checksum_algorithm}, and a {given[0]} is given: leave one out"
            )
        self.given = given[1] if given is not None else None
        """The checksum of the whole object that the caller gave; None if there is none."""
        explicit = given[0] if given is not None else named
        self.algorithm: Algorithm = explicit or default.algorithm
        """The checksum of each part."""
        self.is_automatic = explicit is None and default.is_automatic
        """True if the client chose the checksum."""
        combinable = checksum.is_combinable(self.algorithm)
        if request.checksum_type == "FULL_OBJECT" and not combinable:
            raise ConfigError(f"the {what}: a {self.algorithm} of a multipart object is COMPOSITE, not FULL_OBJECT")
        if request.checksum_type == "COMPOSITE" and (self.given is not None or self.algorithm == "crc64nvme"):
            raise ConfigError(
                f"the {what}: not COMPOSITE, because the checksum is of the whole object: leave checksum_type out"
            )
        self._is_full_object = combinable and request.checksum_type != "COMPOSITE"
        self._is_declared = self.algorithm != "md5"
        self._parts: dict[int, _Part] = {}
        # True once the service has confirmed a part.
        self._is_known = False

    # -- before the parts -----------------------------------------------------------------------------------------

    def check_multipart(self) -> None:
        """Raise `ConfigError` if the given checksum cannot be that of a multipart object."""
        if self.given is not None and not self._is_full_object:
            raise ConfigError(
                f"the {self._what}: a {self.algorithm} of the whole object can be given only for one PUT: raise "
                "multipart_threshold, or give checksum_algorithm alone"
            )

    def declared(self) -> dict[str, Any]:
        """Return the parameters that declare the checksum when the upload is created."""
        if not self._is_declared:
            return {"checksum_algorithm": None, "checksum_type": None}
        kind = "FULL_OBJECT" if self._is_full_object else "COMPOSITE"
        return {"checksum_algorithm": self.algorithm.upper(), "checksum_type": kind}

    def use(self, algorithm: Algorithm) -> None:
        """Use the checksum that the upload was created with."""
        self.algorithm, self._is_declared = algorithm, algorithm != "md5"
        self._is_full_object = self._is_full_object and checksum.is_combinable(algorithm)

    def restart(self) -> None:
        """Forget all parts."""
        self._parts.clear()
        self._is_known = False

    # -- parts ----------------------------------------------------------------------------------------------------

    def of_part(self, value: bytes) -> BodyChecksum:
        """Return the checksum of a part's body."""
        # A service that has confirmed a part of an upload wants the declared checksum for all others.
        return BodyChecksum(self.algorithm, value, self.is_automatic and not self._is_known)

    def add(self, number: int, value: bytes, size: int, evidence: Evidence) -> None:
        """Record a part: its checksum, its size, and what the service confirmed."""
        self._parts[number] = _Part(value, size, evidence)
        self._is_known = self._is_known or evidence == "checksum"

    @property
    def _is_confirmed(self) -> bool:
        return self._is_declared and all(part.evidence == "checksum" for part in self._parts.values())

    # -- the object -----------------------------------------------------------------------------------------------

    async def of_object(self) -> ObjectChecksum | None:
        """Return the checksum that the object must have.

        Returns None if the service does not know it. Raises `IntegrityError` if the caller gave another one.
        """
        parts = [self._parts[number] for number in sorted(self._parts)]
        if not self._is_declared:
            return None
        if not self._is_full_object:
            value = checksum.compute(self.algorithm, b"".join(part.value for part in parts))
            text = f"{checksum.encode(value)}-{len(parts)}"
            return ObjectChecksum(self.algorithm, text, is_sent=False) if self._is_confirmed else None
        value = await run_in_hash_pool(checksum.combine, self.algorithm, [(part.value, part.size) for part in parts])
        self.check_given(value)
        if self._is_confirmed or self.given is not None:
            return ObjectChecksum(self.algorithm, checksum.encode(value), is_sent=True)
        return None

    def check_given(self, value: bytes) -> None:
        """Raise `IntegrityError` if `value` is not the checksum that the caller gave."""
        if self.given is not None and self.given != value:
            given, actual = checksum.encode(self.given), checksum.encode(value)
            raise IntegrityError(
                f"the {self._what}: the source has the {self.algorithm} {actual}, and {given} was given: nothing was stored",
                expected=given,
                actual=actual,
            )

    def completed_parts(self, parts: list[CompletedPart]) -> list[CompletedPart]:
        """Return the parts of a completion.

        They have their checksums if the service has confirmed all of them.
        """
        if not self._is_confirmed:
            return parts
        name = f"checksum_{self.algorithm}"
        return [part.model_copy(update={name: checksum.encode(self._parts[part.part_number or 0].value)}) for part in parts]

    def verified(self, *, has_expected_etag: bool, has_checksum: bool) -> Verified:
        """Return how the object was verified.

        Args:
            has_expected_etag: The ETag of the object follows from those of the parts.
            has_checksum: The service returned the checksum of the object.
        """
        evidence = {part.evidence for part in self._parts.values()}
        if has_checksum:
            return "checksum"
        if evidence <= {"md5"}:
            return "composite" if has_expected_etag else None
        return "checksum" if None not in evidence else None


def _named(request: UploadRequest, what: str) -> Algorithm | None:
    name = request.checksum_algorithm
    if name is None:
        return None
    if (algorithm := checksum.BY_NAME.get(name)) is None:
        raise ConfigError(f"the {what}: checksum_algorithm is {name!r}; it must be one of {', '.join(checksum.BY_NAME)}")
    return algorithm


def _given(request: UploadRequest, what: str) -> tuple[Algorithm, bytes] | None:
    given: list[Algorithm] = [name for name in checksum.BY_NAME.values() if getattr(request, f"checksum_{name}") is not None]
    if not given:
        return None
    if len(given) > 1:
        raise ConfigError(f"the {what}: give one checksum, not {' and '.join(given)}")
    name = given[0]
    text: str = getattr(request, f"checksum_{name}")
    if (value := checksum.decode(name, text)) is None:
        raise ConfigError(f"the {what}: checksum_{name} is {text!r}; it must be the base64 of {checksum.LENGTHS[name]} bytes")
    return name, value
