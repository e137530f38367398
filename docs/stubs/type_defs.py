"""The module `aiocos.ibm_boto3.type_defs`: a TypedDict for each structure that is sent or received."""

from __future__ import annotations

from annotations import Structures
from emit import Member, docstring, imports, in_order, typed_dict
from paging import full_result_members, full_result_name

from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.paginate import PAGED
from aiocos.ibm_boto3.s3 import options

_HEAD = '''
TimestampTypeDef: TypeAlias = datetime | str | int | float
"""A time: a datetime (without a zone it is UTC), text such as `2030-01-31T12:00:00Z`, or seconds since 1970."""


class ReadableFile(Protocol):
    """A file object to read from."""

    def read(self, size: int, /) -> bytes | Awaitable[bytes]:
        """Return at most `size` bytes, or an awaitable of them; empty bytes are the end."""
        ...


class WritableFile(Protocol):
    """A file object to write to, open in binary mode."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`. If the result is awaitable, it is awaited."""
        ...


BodyTypeDef: TypeAlias = str | bytes | bytearray | memoryview | ReadableFile | AsyncIterable[bytes]
"""Content to upload: text (sent as UTF-8), bytes, a file open for reading in binary mode, or an async iterable of bytes."""

FileSourceTypeDef: TypeAlias = ReadableFile | AsyncIterable[bytes]
"""A file object to upload from, open for reading in binary mode (`read` may be async), or an async iterable of bytes."""
'''

_FIXED = (
    (
        "ResponseMetadataTypeDef",
        "The part of a response that is not about the operation.",
        [
            Member("HTTPStatusCode", "int", True, "Status of the HTTP response."),
            Member("HTTPHeaders", "dict[str, str]", True, "Headers of the response, with names in lower case."),
            Member("RetryAttempts", "int", True, "Attempts that failed before this response; 0 if the first succeeded."),
            Member("RequestId", "str", False, "Id of the request, which IBM's support asks for."),
            Member("HostId", "str", False, "Second id of the request; empty if the service sends none."),
            Member("MaxAttemptsReached", "bool", False, "True in an error after which no attempts were left."),
        ],
    ),
    (
        "ErrorTypeDef",
        "An error as the service reports it.",
        [
            Member("Code", "str", True, "Error code, such as `NoSuchKey`. The status as text for a HEAD request: `404`."),
            Member("Message", "str", True, "Message of the service."),
            Member("Resource", "str", False, "Path of the bucket or object that the error is about."),
        ],
    ),
    (
        "ErrorResponseTypeDef",
        "`ClientError.response`.",
        [
            Member("Error", "ErrorTypeDef", True, "The error."),
            Member("ResponseMetadata", "ResponseMetadataTypeDef", True, "Status, headers and id of the response."),
        ],
    ),
    (
        "CopySourceTypeDef",
        "The object to copy.\n\nText of the form `bucket/key?versionId=id` is accepted in its place.",
        [
            Member("Bucket", "str", True, "Bucket of the source."),
            Member("Key", "str", True, "Key of the source."),
            Member("VersionId", "str", False, "Version to copy; the current one if it is left out."),
        ],
    ),
    (
        "PaginatorConfigTypeDef",
        "Settings of a pagination.",
        [
            Member("MaxItems", "int | None", False, "Entries to return in all; None returns all."),
            Member("PageSize", "int | None", False, "Entries per request; None leaves it to the service, usually 1,000."),
            Member("StartingToken", "str | None", False, "`NextToken` of an earlier pagination; None starts at the beginning."),
        ],
    ),
    (
        "WaiterConfigTypeDef",
        "Settings of a waiter.",
        [
            Member("Delay", "float", False, "Seconds between two requests; 5 by default."),
            Member("MaxAttempts", "int", False, "Requests before the waiter gives up; 20 by default."),
        ],
    ),
    (
        "DeleteQuietTypeDef",
        "Settings of the deletion of a whole collection.",
        [Member("Quiet", "bool", False, "True leaves deleted objects out of the responses, which then hold errors only.")],
    ),
)

_ARGUMENTS = (
    ("UploadArgsTypeDef", "`ExtraArgs` of an upload.", "put_object", options.UPLOAD),
    ("DownloadArgsTypeDef", "`ExtraArgs` of a download.", "get_object", options.DOWNLOAD),
    ("CopyArgsTypeDef", "`ExtraArgs` of a copy.", "copy_object", options.COPY),
    ("DeleteArgsTypeDef", "`extra_args` of `TransferManager.delete`.", "delete_object", options.DELETE),
)

_HOMES = {
    "collections.abc": ("AsyncIterable", "Awaitable", "Mapping", "Sequence"),
    "datetime": ("datetime",),
    "aiocos.ibm_boto3.body": ("StreamingBody",),
    "typing": ("Literal", "NotRequired", "Protocol", "TypeAlias", "TypedDict"),
}


def write(structures: Structures) -> str:
    """Return the source of the module."""
    classes = {name: typed_dict(name, members, text) for name, text, members in _FIXED}
    for name, text, method, arguments in _ARGUMENTS:
        known = {m.name: m for m in structures.inputs(OPERATIONS[method])}
        taken = [Member(one, known[one].type, False, known[one].text) for one in arguments.names]
        classes[name] = typed_dict(name, taken, text)
    found: dict[str, str] = {}
    for cls, members in structures.received.items():
        name = structures.name_received(cls)
        found[name] = typed_dict(name, members, structures.text[cls])
    for cls, members in structures.sent.items():
        name = f"{cls.__name__}TypeDef"
        found[name] = typed_dict(name, members, structures.text[cls])
    classes |= {name: found[name] for name in sorted(found)}
    for cls in sorted(OPERATIONS.values(), key=lambda one: one.__name__):
        name = f"{cls.__name__}OutputTypeDef"
        classes[name] = typed_dict(name, structures.outputs(cls), f"The response to {cls.__name__}.")
    for operation in PAGED:
        name, text = full_result_name(operation), f"All pages of {operation} in one: the result of `build_full_result`."
        classes[name] = typed_dict(name, full_result_members(structures, operation), text)
    body = _HEAD + "\n\n" + "\n\n".join(in_order(classes))
    head = docstring(
        "Types of requests and responses, for annotations and type checkers.\n\n"
        "Responses are plain dictionaries at runtime. A key that may be missing is `NotRequired`: read it with `.get()`.\n\n"
        "Written by `docs/stubs/write.py`: change the operations and run it, not this file.",
        0,
    )
    used = imports(body + "\nAsyncIterable, Awaitable, Mapping, Sequence, StreamingBody, datetime, TypeAlias\n", _HOMES)
    return f"{head}\n{used}\n{body}"
