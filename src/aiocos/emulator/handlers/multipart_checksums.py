"""The rules for checksums of multipart uploads.

They are those of S3, as its responses show them. An upload declares an algorithm and a type when it is created, or neither.

* Without a declaration, parts may have any checksum. It is verified and not kept: the object gets a CRC64NVME, combined from
  those of its parts.
* With a declaration, parts have no other checksum than the declared one. `FULL_OBJECT` is combined from the parts' CRCs.
  `COMPOSITE` is the checksum of the parts' checksums: each part must be sent with one, and named with it at the completion.
"""

from aiocos.emulator import checksums
from aiocos.emulator.checksums import ALGORITHMS, DEFAULT, invalid
from aiocos.emulator.store import PartRow, UploadRow
from aiocos.errors import BadDigest
from aiocos.operations.multipart import CompletedPart, CompleteMultipartUpload, CreateMultipartUpload
from aiocos.wire.checksum import Algorithm, is_combinable

_TYPES = ("COMPOSITE", "FULL_OBJECT")


def default_type(name: Algorithm) -> str:
    """Return the type that is meant if a request names none."""
    return "FULL_OBJECT" if name == DEFAULT else "COMPOSITE"


def declared(op: CreateMultipartUpload) -> tuple[str | None, str | None]:
    """Return the algorithm, in capitals, and the type that a creation declares.

    None for each without a declaration. Raises `InvalidRequest` if the two cannot be combined.
    """
    name, kind = checksums.requested(op.checksum_algorithm), (op.checksum_type or "").upper()
    if kind and kind not in _TYPES:
        raise invalid("Value for x-amz-checksum-type header is invalid.")
    if name is None:
        if kind:
            raise invalid("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
        return None, None
    kind = kind or default_type(name)
    if (kind == "COMPOSITE") if name == DEFAULT else (kind == "FULL_OBJECT" and not is_combinable(name)):
        raise invalid(f"The {kind} checksum type cannot be used with the {name} checksum algorithm.")
    return name.upper(), kind


def declared_algorithm(upload: UploadRow) -> Algorithm | None:
    """Return the declared algorithm of an upload; None without one."""
    return checksums.requested(upload.checksum_algorithm)


def of_part(upload: UploadRow, sent: Algorithm | None) -> Algorithm:
    """Return the algorithm to store of a part that came with the checksum `sent`.

    Raises `InvalidRequest` if the upload has another one.
    """
    name = declared_algorithm(upload)
    if name is None:
        return DEFAULT
    if sent != name and (sent is not None or upload.checksum_type == "COMPOSITE"):
        raise invalid(
            f"Checksum Type mismatch occurred, expected checksum Type: {name}, actual checksum Type: {sent or 'null'}"
        )
    return name


def part_checksums(upload: UploadRow, part: PartRow) -> dict[str, str]:
    """Return the checksums that responses show of a part: the declared one."""
    name = declared_algorithm(upload)
    return {} if name is None or name not in part.sums else {name: part.sums[name]}


def is_part(upload: UploadRow, entry: CompletedPart, part: PartRow) -> bool:
    """Return False if the checksum in a list of parts is not the part's.

    Raises `BadDigest` or `InvalidRequest` if the list has a checksum of another algorithm, or lacks one that it needs.
    """
    given: dict[Algorithm, str] = {name: value for name in ALGORITHMS if (value := getattr(entry, f"checksum_{name}"))}
    name = declared_algorithm(upload)
    if name is None:
        return not given
    if name in given:
        return given[name] == part.sums.get(name)
    if given:
        other = next(iter(given))
        message = f"The {other} you specified for part {part.number} did not match what we received."
        raise BadDigest(message, status=400, code="BadDigest")
    if upload.checksum_type == "COMPOSITE":
        raise invalid(
            f"The upload was created using a {name} checksum. The complete request must include the checksum for each part. "
            f"It was missing for part {part.number} in the request."
        )
    return True


def joined(upload: UploadRow, parts: list[PartRow]) -> tuple[dict[str, str], tuple[str, ...] | None]:
    """Return the checksum of the object made of these parts.

    Also returns the checksums of the parts if it is composite. The object has none if a part has none, which an earlier release
    of the emulator or one that ignored checksums has stored.
    """
    name = declared_algorithm(upload) or DEFAULT
    if not all(name in part.sums for part in parts):
        return {}, None
    values = [checksums.decode(name, part.sums[name]) for part in parts]
    if upload.checksum_type == "COMPOSITE":
        return {name: checksums.composite(name, values)}, tuple(part.sums[name] for part in parts)
    return {name: checksums.combine(name, zip(values, (part.size for part in parts), strict=True))}, None


def check_type(upload: UploadRow, op: CompleteMultipartUpload) -> None:
    """Raise `InvalidRequest` if a completion names another type than the creation."""
    if op.checksum_type and op.checksum_type.upper() != upload.checksum_type:
        raise invalid(
            f"The upload was created using the {upload.checksum_type or 'null'} checksum mode. "
            "The complete request must use the same checksum mode."
        )


def check_object(upload: UploadRow, op: CompleteMultipartUpload, sums: dict[str, str]) -> None:
    """Compare the checksum in a completion with the one that follows from the parts.

    Raises `BadDigest` if it is another one. A completion that names no type means the algorithm's default type. Without a
    declaration at the creation, only a CRC64NVME can be compared.
    """
    name = declared_algorithm(upload)
    for algorithm in ALGORITHMS:
        text = getattr(op, f"checksum_{algorithm}")
        if text is None or (name is None and algorithm not in sums):
            continue
        kind = (op.checksum_type or default_type(algorithm)).upper()
        expected = sums.get(algorithm)
        # The number of parts may be left out.
        if expected is None or kind != (upload.checksum_type or "FULL_OBJECT") or text not in (expected, _bare(expected)):
            raise checksums.mismatch(name or algorithm)


def _bare(value: str) -> str:
    return value.partition("-")[0]
