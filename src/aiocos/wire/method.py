"""Methods made from operations.

`put = Call(PutObject)` has the parameters of `PutObject` and returns its result. A parameter specification carries the
signature from the class to the method. Type checkers and editors read the `.pyi` files beside the groups, which
`docs/stubs/write_groups.py` writes. At runtime, signature and docstring are put together when `help()` or another tool reads
them; a call does nothing for them.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar, cast, get_origin, overload

from aiocos import describe
from aiocos.wire.spec import Operation, Result

P = ParamSpec("P")
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
R = TypeVar("R", bound=Result)
T = TypeVar("T")
O = TypeVar("O")  # noqa: E741 - an operation, or a transfer request with fields like one


class Group(Generic[C_co]):
    """A noun of the service with its methods. `caller` carries operations out."""

    noun: ClassVar[str] = ""
    """Name of the attribute of the client that holds the group; it opens the names of the group's coroutines."""

    def __init__(self, caller: C_co) -> None:
        self._caller = caller


class _Lazy:
    """An attribute of instances that is computed when it is read.

    Read on the class itself, it is a constant, or raises `AttributeError`.
    """

    def __init__(self, compute: Callable[[Any], Any], on_class: str | None = None) -> None:
        self._compute = compute
        self._on_class = on_class

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type[object]) -> Any:
        if instance is not None:
            return self._compute(instance)
        if self._on_class is None:
            raise AttributeError(self._name)
        return self._on_class


class Method(Generic[C, P, T]):
    """A method with the parameters of an operation, and a result of its own.

    `Method(GetObject, open_stream)` calls `open_stream(caller, operation)`. `result` is the type of the result, for signatures.
    It is needed only if `run` is generic: otherwise the annotation of `run` has the type. The text of the method is the string
    literal under it in its class; without one, the docstring of the operation.
    """

    __name__: str
    __qualname__: str

    def __init__(self, op: Callable[P, O], run: Callable[[C, O], T], result: Any = None) -> None:
        self._op = op
        self._run: Callable[[C, Any], T] = run
        self._result = result

    def __set_name__(self, owner: type[Group[Any]], name: str) -> None:
        self._owner = owner
        self.__name__ = name
        self.__qualname__ = f"{owner.__qualname__}.{name}"
        self.__module__ = owner.__module__
        # Names the coroutines, and so the warning about a forgotten `await`: `objects.put`.
        self.label = f"{owner.noun or owner.__qualname__}.{name}"

    @property
    def operation(self) -> type[Operation[Any]]:
        """The class of the operation."""
        return cast("type[Operation[Any]]", self._op)

    @property
    def returns_coroutine(self) -> bool:
        """True if a call has to be awaited."""
        return describe.returns_coroutine(self._run)

    @property
    def result(self) -> Any:
        """The type of what a call returns, or of what awaiting it gives."""
        return describe.result_of(self._run) if self._result is None else self._result

    def _sender(self, caller: C) -> Callable[[Any], T]:
        """Return a function that carries out an operation for one caller."""
        return partial(self._run, caller)

    def _text(self) -> str:
        op = cast("type[Any]", self._op)
        texts = describe.field_texts(op)
        own = describe.field_texts(self._owner).get(self.__name__) or op.__doc__ or ""
        # Some types of results say how to read them.
        usage: str = getattr(get_origin(self.result), "usage", "")
        own = "\n\n".join(filter(None, (inspect.cleandoc(own), usage)))
        return describe.with_arguments(own, {name: texts.get(name, "") for name in self._signature().parameters})

    def _signature(self) -> inspect.Signature:
        return describe.signature_of(cast("type[Any]", self._op), self.result)

    def _unbound_signature(self) -> inspect.Signature:
        bound = self._signature()
        group = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return bound.replace(parameters=[group, *bound.parameters.values()])

    __doc__ = cast("str", _Lazy(_text, __doc__))
    __signature__ = _Lazy(_unbound_signature)
    # The source of a method is that of its operation. Sphinx looks here to tell a method from an attribute.
    __wrapped__ = _Lazy(lambda method: method._op)

    @overload
    def __get__(self, group: None, owner: type[object]) -> Method[C, P, T]: ...
    @overload
    def __get__(self, group: Group[C], owner: type[object]) -> Callable[P, T]: ...
    def __get__(self, group: Group[C] | None, owner: type[object]) -> Method[C, P, T] | Callable[P, T]:
        """Bind to a group.

        The bound method is stored on the group, so the next access is a plain attribute.
        """
        if group is None:
            return self
        sender = self._sender(group._caller)  # pyright: ignore[reportPrivateUsage]
        op: Callable[P, Any] = self._op
        bound = BoundCoroutineMethod(self, op, sender) if self.returns_coroutine else BoundMethod(self, op, sender)
        group.__dict__[self.__name__] = bound
        return bound

    def __call__(self, group: Group[C], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the method of a group, as `Objects.put(client.objects, ...)`."""
        return cast("Callable[P, T]", getattr(group, self.__name__))(*args, **kwargs)


class LaterMethod(Method[C, P, T]):
    """A method that is imported when it is used for the first time.

    `load` returns the arguments of a `Method`: the class of the parameters, the function, and the type of the result.
    """

    def __init__(self, load: Callable[[], tuple[Callable[P, Any], Callable[[C, Any], T], Any]]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        if name not in ("_op", "_run", "_result"):
            raise AttributeError(name)
        self._op, self._run, self._result = self._load()
        return self.__dict__[name]

    __doc__ = Method.__dict__["__doc__"]


class BoundMethod(Generic[P, T]):
    """A method of one group.

    It is not a function, because a function cannot compute its docstring when it is read.
    """

    __name__: str
    __qualname__: str

    def __init__(self, method: Method[Any, P, T], op: Callable[P, Any], send: Callable[[Any], T]) -> None:
        self._op = op
        self._send = send
        self._method = method
        self.__name__ = method.__name__
        self.__qualname__ = method.label
        self.__module__ = method.__module__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the method."""
        try:
            operation = self._op(*args, **kwargs)
        except TypeError as error:
            self._reword(error)
            raise
        return self._send(operation)

    def _reword(self, error: TypeError) -> None:
        """Name the method in an error about the arguments of a call.

        Python names the `__init__` of the operation. Other errors stay as they are.
        """
        # Imported on failure only: `import aiocos` stays as fast as it is.
        import difflib

        init = f"{cast('Any', self._op).__init__.__qualname__}()"
        text = str(error)
        if not text.startswith(init):
            return
        text = self.__qualname__ + "()" + text.removeprefix(init)
        parameters = self._method._signature().parameters.values()  # pyright: ignore[reportPrivateUsage]
        if unexpected := re.search(r"unexpected keyword argument '(.*)'$", text):
            close = difflib.get_close_matches(unexpected[1], [one.name for one in parameters], n=1)
            text += f". Did you mean '{close[0]}'?" if close else ""
        elif re.search(r"takes .* positional arguments? but", text):
            positional = [one.name for one in parameters if one.kind is not one.KEYWORD_ONLY]
            text += f". Pass the parameters after '{positional[-1]}' by name" if positional else ". Pass all parameters by name"
        error.args = (text,)

    def __get__(self, instance: object, owner: type[object] | None = None) -> BoundMethod[P, T]:
        # It is bound already. Having `__get__` makes `inspect.isroutine` true: tools then treat it as a method, not as data.
        return self

    __doc__ = cast("str", _Lazy(lambda bound: bound._method.__doc__, __doc__))
    __signature__ = _Lazy(lambda bound: bound._method._signature())
    __wrapped__ = _Lazy(lambda bound: bound._op)

    def __repr__(self) -> str:
        return f"<method {self.__qualname__}>"

    def __reduce__(self) -> str:
        # As for a function: a copy is the method itself, and a nested one cannot be pickled.
        return self.__qualname__


class BoundCoroutineMethod(BoundMethod[P, T]):
    """A method of one group that has to be awaited."""

    def __init__(self, method: Method[Any, P, T], op: Callable[P, Any], send: Callable[[Any], T]) -> None:
        super().__init__(method, op, send)
        if sys.version_info >= (3, 12):
            inspect.markcoroutinefunction(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the method; the coroutine bears its name."""
        # As in the base class, without a call of it: one more frame shows in the time of a small call.
        try:
            operation = self._op(*args, **kwargs)
        except TypeError as error:
            self._reword(error)
            raise
        made: Any = self._send(operation)
        try:
            # "coroutine 'objects.put' was never awaited"
            made.__qualname__ = self.__qualname__
        except AttributeError:
            pass
        return made

    __doc__ = BoundMethod.__dict__["__doc__"]


# The heading of `help(client.objects.put)` shows the name of the type, as for bound methods of Python.
BoundMethod.__name__ = BoundCoroutineMethod.__name__ = "method"
LaterMethod.__name__ = "Method"


class Caller(Protocol):
    """An object that carries operations out, such as the client's engine."""

    def call(self, operation: Operation[R]) -> Coroutine[Any, Any, R]:
        """Send an operation and return its result."""
        ...


def _call(caller: Caller, operation: Operation[R]) -> Coroutine[Any, Any, R]:
    return caller.call(operation)


class Call(Method[Caller, P, Coroutine[Any, Any, R]], Generic[P, R]):
    """A plain call: the result is the operation's own."""

    def __init__(self, op: Callable[P, Operation[R]]) -> None:
        super().__init__(op, _call)

    @property
    def result(self) -> Any:
        """The class of the operation's result."""
        return self.operation.spec.result

    def _sender(self, caller: Caller) -> Callable[[Any], Coroutine[Any, Any, R]]:
        return caller.call

    __doc__ = Method.__dict__["__doc__"]
