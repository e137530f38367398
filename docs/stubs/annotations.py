"""Types of the parameters and fields of operations, as annotations of the `ibm_boto3` package.

Parameters have the types that `aiocos.ibm_boto3.readers` accepts, and responses those that `aiocos.ibm_boto3.responses`
returns. A structure that is both sent and received has two TypedDicts if the two differ (a time may be sent as text, a list as
any sequence). What was received may be sent back, so parameters accept both.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from emit import Member

from aiocos.ibm_boto3 import inputs, names, readers
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.describe import class_text, member_texts, parameter_texts
from aiocos.wire.document import Document, Element, unwrap
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, HeaderMap, KeyHeaders, Local, Operation, Parameter, Payload
from aiocos.wire.values import CopySource

TIMESTAMP = "TimestampTypeDef"
_UNKNOWN = "unknown_elements"


class Structures:
    """The TypedDicts of documents, collected while types are written."""

    def __init__(self) -> None:
        self.sent: dict[type[Document], list[Member]] = {}
        self.received: dict[type[Document], list[Member]] = {}
        self.text: dict[type[Document], str] = {}
        # All documents are entered first: only then is it known which of them differ by direction.
        for cls in OPERATIONS.values():
            for p in cls.spec.parameters:
                self.parameter(p)
            for info in cls.spec.result.model_fields.values():
                self.output(info.annotation)
            if names.wrapper_of(cls) is not None:
                self._enter_received(cls.spec.result)
        for table, read in ((self.sent, self._sent_members), (self.received, self._received_members)):
            for cls in table:
                table[cls] = read(cls)

    # -- names --------------------------------------------------------------------------------------------------------

    def name_received(self, cls: type[Document]) -> str:
        """Return the name of the TypedDict of a document in a response."""
        self._enter_received(cls)
        return f"{cls.__name__}{'Output' if self._differs(cls) else ''}TypeDef"

    def name_sent(self, cls: type[Document]) -> str:
        """Return the annotation of a document in a request."""
        self._enter_sent(cls)
        name = f"{cls.__name__}TypeDef"
        return f"{name} | {cls.__name__}OutputTypeDef" if self._differs(cls) else name

    def _differs(self, cls: type[Document]) -> bool:
        """Return True if a document is sent and received, and the TypedDicts are not one."""
        if cls not in self.sent or cls not in self.received:
            return False
        sent = {(m.name, m.type, m.required) for m in self._sent_members(cls, shallow=True)}
        received = {(m.name, m.type, m.required) for m in self._received_members(cls, shallow=True)}
        if sent != received:
            return True
        inner = [kind for info in cls.model_fields.values() for kind in _documents_in(info.annotation) if kind is not cls]
        return any(self._differs(kind) for kind in inner)

    # -- members ------------------------------------------------------------------------------------------------------

    def _enter_sent(self, cls: type[Document]) -> None:
        if cls not in self.sent:
            self.sent[cls] = []
            self.text[cls] = class_text(cls)
            self._sent_members(cls)

    def _enter_received(self, cls: type[Document]) -> None:
        if cls not in self.received:
            self.received[cls] = []
            self.text[cls] = class_text(cls)
            self._received_members(cls)

    def _sent_members(self, cls: type[Document], *, shallow: bool = False) -> list[Member]:
        texts = member_texts(cls)
        out: list[Member] = []
        for field, info in cls.model_fields.items():
            if names.is_header(cls, field):
                continue
            if field == _UNKNOWN:
                out.append(Member(names.of_field(cls, field), "list[str]", False, texts.get(field, "")))
                continue
            model = next((mark.model for mark in info.metadata if isinstance(mark, Element) and mark.model), None)
            kind = model or info.annotation
            required = names.is_required_in(cls, field, info.is_required())
            out.append(Member(names.of_field(cls, field), self._input(kind, shallow), required, texts.get(field, "")))
        return out

    def _received_members(self, cls: type[Document], *, shallow: bool = False) -> list[Member]:
        texts = member_texts(cls)
        return [
            Member(names.of_field(cls, field), self.output(info.annotation, shallow), always(cls, field), texts.get(field, ""))
            for field, info in cls.model_fields.items()
            if not names.is_header(cls, field)
        ]

    # -- types --------------------------------------------------------------------------------------------------------

    def parameter(self, p: Parameter) -> str:
        """Return the annotation of a parameter of an operation: the types that its reader accepts."""
        if isinstance(p.location, Local | KeyHeaders):
            return "str"
        if isinstance(p.location, Payload):
            return "BodyTypeDef"
        if isinstance(p.location, Body):
            return self.name_sent(readers.document_of(p))
        if isinstance(p.location, HeaderMap):
            return "Mapping[str, str]"
        return self._input(p.type)

    def _input(self, annotation: Any, shallow: bool = False) -> str:
        kind = unwrap(annotation)
        origin = get_origin(kind)
        members = set(get_args(kind)) if origin in (Union, UnionType) else {kind}
        if CopySource in members:
            return "str | CopySourceTypeDef"
        if ByteRange in members:
            return "str"
        if timedelta in members or int in members:
            return "int"
        if bool in members:
            return "bool"
        if datetime in members:
            return TIMESTAMP
        if origin is dict:
            return "Mapping[str, str]"
        if origin in (list, tuple):
            return f"Sequence[{self._input(get_args(kind)[0], shallow)}]"
        if isinstance(kind, type) and issubclass(kind, Document):
            return kind.__name__ if shallow else self.name_sent(kind)
        if origin is Literal:
            return _literal(kind)
        if kind is str or str in members:
            return "str"
        raise TypeError(f"no annotation for the input {annotation}")

    def output(self, annotation: Any, shallow: bool = False) -> str:
        """Return the annotation of a field of a response."""
        kind = unwrap(annotation)
        origin = get_origin(kind)
        if origin in (Union, UnionType):
            return " | ".join(self.output(one, shallow) for one in get_args(kind) if one is not NoneType)
        if isinstance(kind, type) and issubclass(kind, Document):
            return kind.__name__ if shallow else self.name_received(kind)
        if origin in (list, tuple):
            return f"list[{self.output(get_args(kind)[0], shallow)}]"
        if origin is dict:
            return "dict[str, str]"
        if origin is Literal:
            return _literal(kind)
        if kind in (str, int, bool, datetime):
            return kind.__name__
        raise TypeError(f"no annotation for the output {annotation}")

    # -- operations ---------------------------------------------------------------------------------------------------

    def inputs(self, cls: type[Operation[Any]]) -> list[Member]:
        """Return the parameters of an operation's method."""
        spec = cls.spec
        fields = {p.name: p for p in spec.parameters}
        texts = parameter_texts(cls)
        members = inputs.input_members(spec)
        out: list[Member] = []
        for name in inputs.input_names(spec):
            if name in members:
                p = fields[members[name].field]
                out.append(Member(name, self.parameter(p), members[name].required, texts[name]))
            else:
                kind = "int" if name == "ContentLength" else "str | bytes" if name.endswith("CustomerKey") else "str"
                out.append(Member(name, kind, False, texts[name]))
        return out

    def outputs(self, cls: type[Operation[Any]]) -> list[Member]:
        """Return the members of an operation's response."""
        result, wrapper = cls.spec.result, names.wrapper_of(cls)
        left_out, texts = names.omitted_members(cls.spec.name), member_texts(result)
        out: list[Member] = []
        if wrapper is not None:
            out.append(Member(wrapper, self.name_received(result), True, class_text(result).partition("\n")[0]))
        if cls.__name__ == "GetObject":
            out.append(Member("Body", "StreamingBody", True, "The content; read it to its end, or close it."))
        for field, info in result.model_fields.items():
            name = names.of_field(result, field)
            if field == "request_id" or name in left_out or (wrapper is not None and not names.is_header(result, field)):
                continue
            kind = "datetime | str" if name == "Expires" else self.output(info.annotation)
            out.append(Member(name, kind, always(result, field), texts.get(field, "")))
        out.append(Member("ResponseMetadata", "ResponseMetadataTypeDef", True, "Status, headers and id of the response."))
        return out


def always(cls: type[Document], field: str) -> bool:
    """Return True if every response has a field: one that the document requires, or that the client refuses to miss."""
    return cls.model_fields[field].is_required() or field in getattr(cls, "needed", ())


def _documents_in(annotation: Any) -> list[type[Document]]:
    kind = unwrap(annotation)
    if isinstance(kind, type) and issubclass(kind, Document):
        return [kind]
    return [one for inner in get_args(kind) for one in _documents_in(inner)]


def _literal(kind: Any) -> str:
    return f"Literal[{', '.join(map(repr, get_args(kind)))}]"
