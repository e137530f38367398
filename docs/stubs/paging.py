"""The stubs of `aiocos.ibm_boto3.paginate` and `.waiters`: a class for each paginator and each waiter.

At runtime all paginators are of one class, and all waiters: these classes are for type checkers only.
"""

from __future__ import annotations

from pathlib import Path

from annotations import Structures
from emit import Member, body, method
from skeleton import Skeleton

import aiocos.ibm_boto3
from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.paginate import PAGED
from aiocos.ibm_boto3.waiters import WAITERS

PACKAGE = Path(str(aiocos.ibm_boto3.__file__)).parent
ANY = "*args: Any, **kwargs: Any"
"""Parameters of a base class whose subclasses each take their own: with these, checkers accept the override."""


def paginator_name(operation: str) -> str:
    """Return the name of a paginator's class: `ListObjectsV2Paginator`."""
    return f"{operation}Paginator"


def full_result_name(operation: str) -> str:
    """Return the name of the TypedDict of all pages: `ListObjectsV2FullResultTypeDef`."""
    return f"{operation}FullResultTypeDef"


def full_result_members(structures: Structures, operation: str) -> list[Member]:
    """Return the members of the result of `build_full_result`."""
    pages = PAGED[operation]
    known = {m.name: m for m in structures.outputs(OPERATIONS[names.snake(operation)])}
    found = [known[name] for name in (*pages.entries, *pages.besides) if name in known]
    token = Member("NextToken", "str", False, "`StartingToken` of the next pagination, if `MaxItems` left entries out.")
    return [*(Member(m.name, m.type, False, m.text) for m in found), token]


def waiter_name(waiter: str) -> str:
    """Return the name of a waiter's class: `BucketExistsWaiter`."""
    return f"{''.join(word.capitalize() for word in waiter.split('_'))}Waiter"


def write_paginators(structures: Structures) -> str:
    """Return the source of the stub of `paginate`."""
    config = Member("PaginationConfig", "PaginatorConfigTypeDef | None", False, "Entries in all and per page, and the start.")
    classes: list[str] = []
    for operation in PAGED:
        cls = OPERATIONS[names.snake(operation)]
        response = f"type_defs.{operation}OutputTypeDef"
        paginate = method(
            "paginate",
            [*structures.inputs(cls), config],
            f"PageIterator[{response}, {full_result_name(operation)}]",
            f"Return an iterator over the pages of {operation}.",
            prefix="def",
        )
        classes.append(
            f"@type_check_only\nclass {paginator_name(operation)}(Paginator[{response}, {full_result_name(operation)}]):\n"
            f'    """Paginator of {operation}."""\n\n{paginate}'
        )
    text = "Return an iterator over the pages.\n\nThe parameters are those of the operation, and `PaginationConfig`."
    base = f"    def paginate(self, {ANY}) -> PageIterator[Response, FullResult]:\n{body(text, 8)}"
    return _write("paginate.py", classes, {"Paginator.paginate": base})


def write_waiters(structures: Structures) -> str:
    """Return the source of the stub of `waiters`."""
    classes: list[str] = []
    for name, rule in WAITERS.items():
        text = f"Wait for `{name}`. Raises `WaiterError`."
        wait = method("wait", waiter_members(structures, name), "None", text)
        head = f'@type_check_only\nclass {waiter_name(name)}(Waiter):\n    """Waiter that sends {rule.operation}."""\n\n'
        classes.append(head + wait)
    text = (
        "Send requests until the wait succeeds or fails.\n\n"
        "The parameters are those of the operation that the waiter sends, and `WaiterConfig`."
    )
    base = f"    async def wait(self, {ANY}) -> None:\n{body(text, 8)}"
    return _write("waiters.py", classes, {"Waiter.wait": base})


def waiter_members(structures: Structures, waiter: str) -> list[Member]:
    """Return the parameters of a waiter: those of its operation, and its settings."""
    config = Member("WaiterConfig", "WaiterConfigTypeDef | None", False, "Seconds between requests, and how many requests.")
    return [*structures.inputs(OPERATIONS[names.snake(WAITERS[waiter].operation)]), config]


def _write(module: str, classes: list[str], replaced: dict[str, str]) -> str:
    imports = "from typing import Literal, type_check_only\nfrom collections.abc import Mapping, Sequence\n"
    imports += "from aiocos.ibm_boto3 import type_defs\n"
    return Skeleton(PACKAGE / module, replaced=replaced, imports=imports, end="\n\n".join(classes)).write()
