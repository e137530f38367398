"""Methods made from operations: `put = Call(PutObject)` has the parameters of `PutObject` and gives its result.

A parameter specification carries the signature from the class to the method, so that the type checker refuses a wrong
parameter and nothing is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from aiocos.wire.spec import Operation, Result

P = ParamSpec("P")
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
R = TypeVar("R", bound=Result)
T = TypeVar("T")
O = TypeVar("O")  # noqa: E741 - an operation, or what is stated like one


class Group(Generic[C_co]):
    """A noun of the service with its methods. `caller` is whatever carries operations out."""

    def __init__(self, caller: C_co) -> None:
        self._caller = caller


class Method(Generic[C, P, T]):
    """A method with the parameters of an operation, and a result of its own: `Method(GetObject, open_stream)`."""

    def __init__(self, op: Callable[P, O], run: Callable[[C, O], T]) -> None:
        self._op = op
        self._run: Callable[[C, Any], T] = run
        self.__doc__ = op.__doc__

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._name = name

    @property
    def operation(self) -> type[Operation[Any]]:
        """The class of the operation."""
        return cast("type[Operation[Any]]", self._op)

    @overload
    def __get__(self, group: None, owner: type[object]) -> Method[C, P, T]: ...
    @overload
    def __get__(self, group: Group[C], owner: type[object]) -> Callable[P, T]: ...
    def __get__(self, group: Group[C] | None, owner: type[object]) -> Method[C, P, T] | Callable[P, T]:
        """Bind to a group; the bound function is kept on it, so the next look-up is a plain attribute."""
        if group is None:
            return self
        op, run, caller = self._op, self._run, group._caller  # pyright: ignore[reportPrivateUsage]

        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return run(caller, op(*args, **kwargs))

        update_wrapper(method, self.operation, assigned=("__doc__", "__module__"), updated=())
        method.__name__ = method.__qualname__ = self._name
        group.__dict__[self._name] = method
        return method


class Caller(Protocol):
    """What carries operations out."""

    def call(self, operation: Operation[R]) -> Coroutine[Any, Any, R]:
        """Send an operation and return its result."""
        ...


def _call(caller: Caller, operation: Operation[R]) -> Coroutine[Any, Any, R]:
    return caller.call(operation)


class Call(Method[Caller, P, Coroutine[Any, Any, R]], Generic[P, R]):
    """A plain call: the result is the operation's own."""

    def __init__(self, op: Callable[P, Operation[R]]) -> None:
        super().__init__(op, _call)
