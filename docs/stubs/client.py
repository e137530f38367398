"""The stub of `aiocos.ibm_boto3.client`: every operation as a method."""

from __future__ import annotations

from pathlib import Path

from annotations import Structures
from emit import method
from paging import paginator_name, waiter_name
from skeleton import Skeleton

import aiocos.ibm_boto3
from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.describe import operation_text
from aiocos.ibm_boto3.paginate import PAGED
from aiocos.ibm_boto3.waiters import WAITERS

PACKAGE = Path(str(aiocos.ibm_boto3.__file__)).parent


def write(structures: Structures) -> str:
    """Return the source of the stub."""
    methods = [
        method(name, structures.inputs(cls), f"type_defs.{cls.__name__}OutputTypeDef", operation_text(cls))
        for name, cls in sorted(OPERATIONS.items())
    ]
    paginators = {names.snake(name): f"paginate.{paginator_name(name)}" for name in PAGED}
    waiters = {name: f"waiters.{waiter_name(name)}" for name in WAITERS}
    return Skeleton(
        PACKAGE / "client.py",
        added={"S3Client": "".join(methods)},
        replaced={
            "S3Client.get_paginator": _overloads("get_paginator", "operation_name", paginators, "Return the paginator `{}`."),
            "S3Client.get_waiter": _overloads("get_waiter", "waiter_name", waiters, "Return the waiter `{}`."),
        },
        imports="from typing import Literal, overload\nfrom aiocos.ibm_boto3 import paginate, type_defs, waiters\n",
    ).write()


def _overloads(name: str, parameter: str, results: dict[str, str], text: str) -> str:
    return "".join(
        f'    @overload\n    def {name}(self, {parameter}: Literal[{key!r}]) -> {result}:\n        """{text.format(key)}"""\n'
        for key, result in results.items()
    )
