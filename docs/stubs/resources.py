"""The stubs of `aiocos.ibm_boto3.resource.classes` and `.service`: the classes of resources and of their collections."""

from __future__ import annotations

from pathlib import Path

from annotations import Structures, always
from emit import Member, body, docstring, method
from paging import ANY, waiter_members
from skeleton import Skeleton, parameters_of

import aiocos.ibm_boto3
from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.describe import attribute_texts, operation_text
from aiocos.ibm_boto3.resource.classes import TRANSFERRED, TRANSFERS
from aiocos.ibm_boto3.resource.definitions import MODELS, SERVICE
from aiocos.ibm_boto3.resource.model import ActionModel, CollectionModel, ResourceModel, attribute_name

PACKAGE = Path(str(aiocos.ibm_boto3.__file__)).parent
_IMPORTS = """
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self, type_check_only
from aiocos.ibm_boto3 import type_defs
from aiocos.ibm_boto3.resource.base import Loadable, Resource
from aiocos.ibm_boto3.resource.collection import Collection, DeletableCollection
"""


def write_classes(structures: Structures) -> str:
    """Return the source of the stub of `resource.classes`."""
    members = {kind.name: _members(structures, kind) for kind in MODELS.values()}
    base = {kind.name: "Loadable" if kind.load is not None else "Resource" for kind in MODELS.values()}
    classes = [
        f"class {kind.name}({base[kind.name]}):\n{docstring(kind.doc)}\n{members[kind.name]}" for kind in MODELS.values()
    ]
    for kind in MODELS.values():
        classes += [_collection(structures, kind, name, collection) for name, collection in kind.collections.items()]
    # Methods such as `Bucket.Object` hide the classes of their names within a class.
    aliases = "".join(f"_{name} = {name}\n" for name in MODELS)
    imports = _IMPORTS + "from aiocos.ibm_boto3.s3 import transfer\nfrom aiocos.ibm_boto3.client import S3Client\n"
    end = "\n\n".join([*classes, aliases])
    return Skeleton(PACKAGE / "resource/classes.py", imports=imports, end=end).write()


def write_service(structures: Structures) -> str:
    """Return the source of the stub of `resource.service`."""
    imports = f"{_IMPORTS}from aiocos.ibm_boto3.resource.classes import {', '.join(f'{name} as _{name}' for name in MODELS)}\n"
    added = _members(structures, SERVICE)
    end = "\n\n".join(_collection(structures, SERVICE, name, collection) for name, collection in SERVICE.collections.items())
    module = PACKAGE / "resource/service.py"
    return Skeleton(module, added={"ServiceResource": added}, imports=imports, end=end).write()


def write_collection(_: Structures) -> str:
    """Return the source of the stub of `resource.collection`, whose methods take any parameters."""
    text = "Return a collection of what the listing returns with these parameters."
    replaced = {
        f"Collection.{name}": f"    def {name}(self, {ANY}) -> Self:\n{body(text, 8)}" for name in ("filter", "iterator")
    }
    text = "Delete all of them, page by page."
    result = "list[DeleteObjectsOutputTypeDef]"
    replaced["DeletableCollection.delete"] = f"    async def delete(self, {ANY}) -> {result}:\n{body(text, 8)}"
    imports = "from aiocos.ibm_boto3 import type_defs"
    return Skeleton(PACKAGE / "resource/collection.py", replaced=replaced, imports=imports).write()


def _members(structures: Structures, kind: ResourceModel) -> str:
    """Return the members that the runtime adds to the class of a kind."""
    out = [
        _property(name, "int" if name == "part_number" else "str", f"Identifier: `{member}` in requests.")
        for name, member in kind.identifiers.items()
    ]
    out += _attributes(structures, kind)
    for name, collection in kind.collections.items():
        out.append(_property(name, _collection_name(kind, name), f"The resources that `{collection.method}` lists."))
    for name, child in kind.children.items():
        out.append(_child(kind, name, MODELS[child]))
    for name, action in kind.actions.items():
        out.append(_action(structures, kind, name, action))
    for name in TRANSFERS if kind.name in TRANSFERRED else ():
        parameters, result, text = parameters_of(PACKAGE / "client.py", "S3Client", name, tuple(kind.identifiers.values()))
        out.append(f"    async def {name}({parameters}) -> {result}:\n{body(text, 8)}")
    for name, waiter in kind.waiters.items():
        members = _free(kind, waiter_members(structures, waiter))
        out.append(method(name, members, "None", f"Wait as the client's waiter `{waiter}` does. Raises `WaiterError`."))
    return "".join(out) or "    ...\n"


def _property(name: str, kind: str, text: str) -> str:
    return f"    @property\n    def {name}(self) -> {kind}:\n{body(text, 8)}"


def _attributes(structures: Structures, kind: ResourceModel) -> list[str]:
    if kind.document is None:
        return []
    texts, out = attribute_texts(kind.document), list[str]()
    for field, info in kind.document.model_fields.items():
        member = names.of_field(kind.document, field)
        name = attribute_name(member)
        if field == "request_id" or name not in kind.attributes():
            continue
        of_type = "datetime | str" if member == "Expires" else structures.output(info.annotation)
        if not always(kind.document, field):
            of_type += " | None"
        text = texts.get(field) or f"`{member}` in the response."
        out.append(_property(name, of_type, f"{text}\n\nRaises `ResourceNotLoadedError` before there is data."))
    return out


def _child(kind: ResourceModel, name: str, child: ResourceModel) -> str:
    taken = kind.identifiers.values()
    free = [one for one, member in child.identifiers.items() if member not in taken]
    given = "".join(f", {one}: {'int | str' if one == 'part_number' else 'str'}" for one in free)
    text = f"Return the `{child.name}` with this resource's identifiers.\n\nNo request is sent."
    text = text if kind.identifiers else f"Return the `{child.name}`.\n\nNo request is sent."
    return f"    def {name}(self{given}) -> _{child.name}:\n{body(text, 8)}"


def _action(structures: Structures, kind: ResourceModel, name: str, action: ActionModel) -> str:
    cls = OPERATIONS[action.method]
    fixed = {**action.fixed}
    members = [m for m in _free(kind, structures.inputs(cls)) if m.name not in fixed]
    result = f"_{action.returns}" if action.returns else f"type_defs.{cls.__name__}OutputTypeDef"
    return method(name, members, result, operation_text(cls))


def _free(kind: ResourceModel, members: list[Member]) -> list[Member]:
    return [m for m in members if m.name not in kind.identifiers.values()]


def _collection_name(kind: ResourceModel, name: str) -> str:
    return f"{kind.name}{''.join(word.capitalize() for word in name.split('_'))}Collection"


def _collection(structures: Structures, kind: ResourceModel, name: str, collection: CollectionModel) -> str:
    item = f"_{collection.kind}"
    deletable = bool(MODELS[collection.kind].delete_members)
    limits = [
        Member("limit", "int | None", False, "Resources to return in all; None returns all."),
        Member("page_size", "int | None", False, "Entries per request; None leaves it to the service, usually 1,000."),
    ]
    members = [*limits, *_free(kind, structures.inputs(OPERATIONS[collection.method]))]
    text = "Return a collection of what the listing returns with these parameters."
    out = [
        f"@type_check_only\nclass {_collection_name(kind, name)}({'Deletable' * deletable}Collection[{item}]):\n",
        f'    """The resources that `{collection.method}` lists, for type checkers."""\n\n',
        method("filter", members, "Self", text, prefix="def"),
        method("iterator", members, "Self", text, prefix="def"),
    ]
    if deletable:
        settings = [m for m in structures.inputs(OPERATIONS["delete_objects"]) if m.name not in ("Bucket", "Delete")]
        settings.append(Member("Delete", "DeleteQuietTypeDef", False, "Whether responses list deleted objects."))
        result = "list[type_defs.DeleteObjectsOutputTypeDef]"
        out.append(method("delete", settings, result, "Delete all of them, page by page."))
    return "".join(out)
