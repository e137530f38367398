"""Make the methods of the `ibm_boto3` client, one for each operation spec."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiocos.ibm_boto3 import inputs
from aiocos.wire.spec import Operation

Send = Callable[[type[Operation[Any]], Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Sends an operation with the parameters of a call, and returns the response."""


class ClientMethod:  # noqa: D101
    # A method of a client: `client.put_object`. A function cannot make its docstring when it is read; this class can, so that
    # the texts of all parameters cost nothing until `help()` shows them. Its own docstring would hide the property.

    def __init__(self, name: str, cls: type[Operation[Any]], send: Send) -> None:
        self.__name__ = self.__qualname__ = name
        self._cls = cls
        self._send = send

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[dict[str, Any]]:
        """Send the operation with these parameters."""
        if args:
            raise TypeError(f"{self.__name__}() only accepts keyword arguments.")
        return self._send(self._cls, kwargs)

    def __get__(self, instance: object, owner: type[object] | None = None) -> ClientMethod:
        # Makes `inspect.isroutine` true, and so `help()` show this object and not its class.
        return self

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        from aiocos.ibm_boto3.describe import method_text

        return method_text(self._cls)

    @property
    def __signature__(self) -> inspect.Signature:
        """The parameters by their names; those that are required have no default."""
        members = inputs.input_members(self._cls.spec)
        names = sorted(inputs.input_names(self._cls.spec), key=lambda name: not (name in members and members[name].required))
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if name in members and members[name].required else None,
                )
                for name in names
            ]
        )

    def __repr__(self) -> str:
        return f"<method {self.__name__} of an aiocos.ibm_boto3 client>"
