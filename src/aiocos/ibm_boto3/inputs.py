"""Parameters of calls: names, validation, and conversion to typed operations.

The kinds of errors are botocore's. All errors of a call are reported at once, each with its place in the parameters.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiocos.ibm_boto3 import names, variants
from aiocos.ibm_boto3.readers import Member, read_text, reader_of
from aiocos.ibm_boto3.validation import ValidationReport
from aiocos.operations.listing import Page
from aiocos.wire.spec import KeyHeaders, Local, Operation, OperationSpec, Parameter
from aiocos.wire.values import CustomerKey

_KEY_PARTS = ("Algorithm", "Key", "KeyMD5")

OTHER_TEXTS = {
    "SSECustomerAlgorithm": "Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`.",
    "SSECustomerKey": "The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too.",
    "SSECustomerKeyMD5": "Base64 of the MD5 of the customer's encryption key. Computed if it is left out.",
    "CopySourceSSECustomerAlgorithm": "Algorithm of the key that the source was encrypted with (SSE-C): `AES256`.",
    "CopySourceSSECustomerKey": "The customer's key that the source was encrypted with (SSE-C): 32 bytes, or their base64.",
    "CopySourceSSECustomerKeyMD5": "Base64 of the MD5 of the source's encryption key. Computed if it is left out.",
    "ContentLength": "Bytes of the body. No more than that are read of a file; it is an error if the body has fewer.",
    "ContentMD5": "Accepted for compatibility: the checksum of the document is computed here.",
    "ChecksumAlgorithm": "Accepted for compatibility: the checksum of the document is computed here.",
}
"""Texts of the members that are not parameters of the typed operation."""


@dataclass(frozen=True, slots=True)
class _Input:
    """The members that an operation accepts."""

    members: dict[str, Member]
    """Members that are parameters of the typed operation."""
    required: tuple[str, ...]
    """Names of the members without which a call is refused."""
    customer_keys: dict[str, str]
    """Parameters that are customer keys (SSE-C), by the prefix of their three members."""
    ignored: tuple[str, ...]
    """Members that are validated and not sent, since they follow from other members."""


_inputs: dict[str, _Input] = {}


def _input_of(spec: OperationSpec) -> _Input:
    known = _inputs.get(spec.name)
    if known is None:
        members = {
            names.of_parameter(p): Member(p.name, names.is_required(spec, p), reader_of(p))
            for p in spec.parameters
            if not isinstance(p.location, Local | KeyHeaders)
        }
        required = tuple(name for name, member in members.items() if member.required)
        known = _Input(members, required, customer_keys_of(spec.parameters), _ignored_members(spec, members))
        _inputs[spec.name] = known
    return known


def input_members(spec: OperationSpec) -> dict[str, Member]:
    """Return the members that are parameters of the typed operation.

    Customer keys and ignored members are not included.
    """
    return _input_of(spec).members


def customer_keys_of(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """Return the parameters that are customer keys (SSE-C).

    The keys of the dictionary are the prefixes of the three members that make up a customer key.
    """
    return {
        "CopySourceSSECustomer" if p.location.prefix.startswith("x-amz-copy-source") else "SSECustomer": p.name
        for p in parameters
        if isinstance(p.location, KeyHeaders)
    }


def _ignored_members(spec: OperationSpec, members: Mapping[str, Member]) -> tuple[str, ...]:
    """Return the members that are accepted and not used.

    The length of a body and the checksum of a document follow from other members.
    """
    if spec.body is None:
        return ()
    if spec.has_payload:
        return ("ContentLength",)
    return tuple(name for name in ("ContentMD5", "ChecksumAlgorithm") if name not in members)


def input_names(spec: OperationSpec) -> list[str]:
    """Return the names of all members that an operation accepts."""
    known = _input_of(spec)
    return [*known.members, *(f"{prefix}{part}" for prefix in known.customer_keys for part in _KEY_PARTS), *known.ignored]


def read_members(spec: OperationSpec, given: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Return the parameters of the typed operation.

    Args:
        spec: The operation.
        given: The members of a call, by name.
        whole: Require the members that the operation cannot do without.

    Raises:
        ParamValidationError: A member is unknown, missing or invalid. The message has a line for each.
    """
    known = _input_of(spec)
    report = ValidationReport()
    values: dict[str, Any] = {}
    if whole:
        for name in known.required:
            if name not in given:
                report.missing(name)
    for name, value in given.items():
        member = known.members.get(name)
        if member is not None:
            values[member.field] = member.read(value, name, report)
        elif name in known.ignored:
            if name != "ContentLength":
                read_text(value, name, report)
        elif not _is_customer_key(name, known.customer_keys):
            report.unknown(name, input_names(spec))
    if known.customer_keys:
        _read_customer_keys(known.customer_keys, given, values, report)
    _check_length(given, values, report)
    report.check()
    return values


def _is_customer_key(name: str, keys: Mapping[str, str]) -> bool:
    return any(name == f"{prefix}{part}" for prefix in keys for part in _KEY_PARTS)


def _read_customer_keys(
    keys: Mapping[str, str], given: Mapping[str, Any], values: dict[str, Any], report: ValidationReport
) -> None:
    """Read the customer keys (SSE-C) among the members into `values`."""
    for prefix, parameter in keys.items():
        algorithm, key, md5 = (given.get(f"{prefix}{part}") for part in _KEY_PARTS)
        if algorithm is None and key is None and md5 is None:
            continue
        if not isinstance(key, str | bytes | bytearray) or algorithm != "AES256":
            report.add(f"Invalid customer key: {prefix}Key and {prefix}Algorithm (AES256) come together")
            continue
        try:
            plain = key.encode() if isinstance(key, str) else bytes(key)
            # With its MD5, a key may be given in base64, as both are in the headers.
            customer_key = CustomerKey(base64.b64decode(plain) if md5 is not None and len(plain) != 32 else plain)
        except ValueError as error:
            report.add(f"Invalid value for parameter {prefix}Key: {error}")
            continue
        if md5 is not None and md5 != customer_key.md5:
            report.add(f"Invalid value for parameter {prefix}KeyMD5: not the MD5 of the key")
        values[parameter] = customer_key


def _check_length(given: Mapping[str, Any], values: Mapping[str, Any], report: ValidationReport) -> None:
    if "ContentLength" not in given:
        return
    length, data = given["ContentLength"], values.get("data")
    if not isinstance(length, int):
        report.wrong_type("ContentLength", length, "<class 'int'>")
    elif isinstance(data, bytes | bytearray | memoryview) and len(cast("bytes", data)) != length:
        report.add(f"Invalid value for parameter ContentLength: {length}, the body has {len(cast('bytes', data))} bytes")


def build_operation(cls: type[Operation[Any]], given: Mapping[str, Any]) -> Operation[Any]:
    """Return the typed operation of a call. Raises `ParamValidationError`."""
    values = read_members(cls.spec, given)
    body = cls.spec.body
    if body is not None and body.required and values.get(body.name) is None:
        values.pop(body.name, None)
        return variants.with_optional_body(cls)(**values, **{body.name: None})
    if "EncodingType" in given and issubclass(cls.spec.result, Page):
        # Like IBM's SDK: keys are decoded, unless the caller asked for the encoding.
        return variants.with_encoded_keys(cls)(**values)
    return cls(**values)
