"""Compares the operations of the client with those of IBM's SDK.

    python docs/walk_model.py

reads the service model of `ibm_boto3` and prints for each operation the client's methods, or why there is none. The exit status
is 1 if an operation is missing without a reason, has a reason but is offered, or is not in the model.
"""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from aiocos.groups import Service
from aiocos.operations import every_operation
from aiocos.wire.method import Group, Method
from aiocos.wire.spec import registry

every_operation()  # registers them

_UNDOCUMENTED = "in the model of the SDK only: no page of IBM's documentation describes it"
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
    "DeleteBucketPolicy": "access is granted by IAM: the model can delete a bucket policy, but neither read nor write one",
    "GetObjectTorrent": _UNDOCUMENTED,
}


def offered() -> dict[str, list[str]]:
    """Return the client's methods by operation: `objects.get` and `objects.read` for `GetObject`."""
    found: dict[str, list[str]] = {}
    for name, group in _groups():
        for attribute, value in vars(group).items():
            if isinstance(value, Method):
                method: Method[Any, ..., Any] = value
                found.setdefault(method.operation.__name__, []).append(f"{name}.{attribute}")
    # Methods that are written by hand.
    found["DeleteObjects"] = ["objects.delete_many"]
    found["RestoreObject"] = ["objects.restore"]
    return found


def _groups() -> Iterator[tuple[str, type[Group[Any]]]]:
    for name in inspect.get_annotations(Service):
        # Read on the class, a group is its class.
        yield name, getattr(Service, name)


def model() -> list[str]:
    """Return the names of the operations in the SDK's model."""
    import ibm_boto3

    client = ibm_boto3.client(
        "s3", endpoint_url="http://localhost", region_name="us-south", aws_access_key_id="x", aws_secret_access_key="x"
    )
    try:
        return sorted(client.meta.service_model.operation_names)
    finally:
        client.close()


def main() -> int:
    """Print the table; return 1 if an operation is missing, or both offered and not."""
    methods, names = offered(), model()
    width = max(map(len, names))
    wrong: list[str] = []
    for name in names:
        if name in registry and name in methods and name not in NOT_SERVED:
            verb = registry[name].spec.method
            print(f"{name:{width}}  offered as {', '.join(f'client.{m}' for m in methods[name])}  ({verb})")
        elif name in NOT_SERVED and name not in registry:
            print(f"{name:{width}}  not offered: {NOT_SERVED[name]}")
        else:
            wrong.append(name)
            print(f"{name:{width}}  MISSING, or with a reason although it is offered")
    wrong += sorted((set(registry) | set(NOT_SERVED)) - set(names))
    print(f"{len(names)} operations in the model: {len(registry)} offered, {len(NOT_SERVED)} not offered")
    if wrong:
        print(f"wrong: {', '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
