"""Every operation that IBM's SDK knows: how it is offered here, or why it is not.

    python docs/walk_model.py

walks the service model of `ibm_boto3` and prints a line for each operation. It ends with status 1 where one is missing without
a reason, where a reason is given for one that is offered, or where something is offered that the model does not know.
"""

import sys
from collections.abc import Iterator
from typing import Any

from aiocos.groups import Service
from aiocos.wire.method import Group, Method
from aiocos.wire.spec import registry

_UNDOCUMENTED = "in the model only: no page of IBM's documentation has it"
NOT_SERVED = {
    "GetBucketAccelerateConfiguration": _UNDOCUMENTED,
    "PutBucketAccelerateConfiguration": _UNDOCUMENTED,
    "GetBucketAnalyticsConfiguration": _UNDOCUMENTED,
    "PutBucketAnalyticsConfiguration": _UNDOCUMENTED,
    "DeleteBucketAnalyticsConfiguration": _UNDOCUMENTED,
    "ListBucketAnalyticsConfigurations": _UNDOCUMENTED,
    "GetBucketInventoryConfiguration": _UNDOCUMENTED,
    "PutBucketInventoryConfiguration": _UNDOCUMENTED,
    "DeleteBucketInventoryConfiguration": _UNDOCUMENTED,
    "ListBucketInventoryConfigurations": _UNDOCUMENTED,
    "GetBucketMetricsConfiguration": _UNDOCUMENTED,
    "PutBucketMetricsConfiguration": _UNDOCUMENTED,
    "DeleteBucketMetricsConfiguration": _UNDOCUMENTED,
    "ListBucketMetricsConfigurations": _UNDOCUMENTED,
    "DeleteBucketPolicy": "access is IAM's: the model has no way to read or write a bucket policy, only to delete one",
    "GetObjectTorrent": _UNDOCUMENTED,
}


def offered() -> dict[str, list[str]]:
    """The methods of the client by the operation they make: `objects.get` and `objects.read` by `GetObject`."""
    found: dict[str, list[str]] = {}
    for name, group in _groups():
        for attribute, value in vars(group).items():
            if isinstance(value, Method):
                method: Method[Any, ..., Any] = value
                found.setdefault(method.operation.__name__, []).append(f"{name}.{attribute}")
    # These are made by methods of their own.
    found["DeleteObjects"] = ["objects.delete_many"]
    found["RestoreObject"] = ["objects.restore"]
    return found


def _groups() -> Iterator[tuple[str, type[Group[Any]]]]:
    service = Service(None)  # type: ignore[arg-type] - nothing is called
    for name, value in vars(service).items():
        if isinstance(value, Group):
            yield name, type(value)


def model() -> list[str]:
    """The operations that the SDK's model knows."""
    import ibm_boto3

    client = ibm_boto3.client(
        "s3", endpoint_url="http://localhost", region_name="us-south", aws_access_key_id="x", aws_secret_access_key="x"
    )
    try:
        return sorted(client.meta.service_model.operation_names)
    finally:
        client.close()


def main() -> int:
    """Print the table; return 1 where something is missing or said twice."""
    methods, names = offered(), model()
    width = max(map(len, names))
    wrong: list[str] = []
    for name in names:
        if name in registry and name in methods and name not in NOT_SERVED:
            statement = registry[name].spec
            print(f"{name:{width}}  offered as {', '.join(f'client.{m}' for m in methods[name])}  ({statement.method})")
        elif name in NOT_SERVED and name not in registry:
            print(f"{name:{width}}  not served by COS: {NOT_SERVED[name]}")
        else:
            wrong.append(name)
            print(f"{name:{width}}  MISSING, or both offered and not")
    wrong += sorted((set(registry) | set(NOT_SERVED)) - set(names))
    print(f"{len(names)} operations in the model: {len(registry)} offered, {len(NOT_SERVED)} not served")
    if wrong:
        print(f"wrong: {', '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
