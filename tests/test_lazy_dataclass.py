"""Lazy dataclasses are the classes that `dataclasses.dataclass` makes, compiled later."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import KW_ONLY, field
from typing import Any

import pytest

import aiocos
from aiocos import lazy_dataclass
from aiocos.wire.spec import Header

DECORATORS: list[Callable[..., Any]] = [dataclasses.dataclass, lazy_dataclass.dataclass]


def classes(decorate: Callable[..., Any]) -> tuple[type[Any], type[Any]]:
    """Return a frozen class, and one with slots that has defaults of every kind."""

    @decorate(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2
        sum: int = field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "sum", self.x + self.y)

    @decorate(slots=True)
    class Mixed:
        first: str
        _: KW_ONLY
        many: list[int] = field(default_factory=list[int])
        last: str | None = None

    return Point, Mixed


# Made in the same way for the first instance, which is not compiled, and for later ones.
@pytest.mark.parametrize("earlier", [0, 1, 2])
@pytest.mark.parametrize(
    ("index", "args", "kwargs"),
    [
        (0, (1,), {}),
        (0, (1, 3), {}),
        (0, (), {"x": 1, "y": 5}),
        (0, (), {}),
        (0, (1, 2, 3), {}),
        (0, (1,), {"x": 1}),
        (0, (1,), {"sum": 1}),
        (0, (1,), {"z": 1}),
        (1, ("a",), {}),
        (1, ("a",), {"many": [1], "last": "z"}),
        (1, ("a", [1]), {}),
        (1, (), {"last": "z"}),
    ],
)
def test_an_instance_is_that_of_a_dataclass(earlier: int, index: int, args: tuple[Any, ...], kwargs: dict[str, Any]):
    outcomes: list[Any] = []
    for decorate in DECORATORS:
        cls = classes(decorate)[index]
        for _ in range(earlier):
            cls("earlier") if index else cls(7)
        try:
            made = cls(*args, **kwargs)
            outcomes.append((repr(made), dataclasses.asdict(made), made == cls(*args, **kwargs), made == "other"))
            if index == 0:
                outcomes[-1] += (made.sum, hash(made))
        except TypeError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("index", [0, 1])
def test_a_class_looks_like_a_dataclass(index: int):
    theirs, ours = (classes(decorate)[index] for decorate in DECORATORS)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert dataclasses.is_dataclass(ours)
    shown = [(f.name, f.type, f.default, f.kw_only, f.init) for f in dataclasses.fields(theirs)]
    assert [(f.name, f.type, f.default, f.kw_only, f.init) for f in dataclasses.fields(ours)] == shown
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    assert set(dir(theirs)) <= set(dir(ours))


def test_an_instance_of_a_frozen_class_cannot_be_changed():
    point = classes(lazy_dataclass.dataclass)[0](1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x


def test_instances_are_copied_pickled_and_replaced():
    config = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=2))
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config
    assert dataclasses.replace(config, checksum="md5") == aiocos.ClientConfig(retry=config.retry, checksum="md5")


def test_methods_are_compiled_at_the_second_instance():
    point = classes(lazy_dataclass.dataclass)[0]
    point(1)
    assert not inspect.isfunction(point.__dict__["__init__"])
    point(1)
    assert inspect.isfunction(point.__dict__["__init__"])


def test_marks_behave_like_frozen_dataclasses():
    assert Header("x", iso=True) == Header("x", True) != Header("x")
    assert hash(Header("x")) == hash(Header("x"))
    assert repr(Header("x")) == "Header(name='x', iso=False, lenient=False, fraction=False)"
    assert dataclasses.replace(Header("x"), name="y") == Header("y")
    assert pickle.loads(pickle.dumps(Header("x"))) == Header("x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Header("x").name = "y"  # type: ignore[misc]
    make: Any = Header
    for args, kwargs in (((), {}), (("x",), {"name": "y"}), (("x",), {"other": 1}), (("x",) * 5, {})):
        with pytest.raises(TypeError, match="Header"):
            make(*args, **kwargs)


def test_every_class_of_the_library_compiles():
    """`dataclasses.dataclass` refuses a wrong declaration, such as a field without a default after one with a default."""
    found = 0
    for module in pkgutil.walk_packages(aiocos.__path__, "aiocos."):
        if module.name == "aiocos.__main__":
            continue
        for cls in list(vars(importlib.import_module(module.name)).values()):
            if isinstance(cls, type) and "__declared_fields__" in vars(cls):
                declared = lazy_dataclass.declared_fields(cls)
                compiled = {f.name: f for f in dataclasses.fields(cls)}
                assert list(declared) == list(compiled), cls
                for name, one in declared.items():
                    required = compiled[name].default is compiled[name].default_factory is dataclasses.MISSING
                    assert (one.type, one.required) == (compiled[name].type, required), (cls, name)
                    assert one.positional == (compiled[name].init and not compiled[name].kw_only), (cls, name)
                found += 1
    assert found > 150


def test_declaring_compiles_nothing():
    code = "import dataclasses; dataclasses._process_class = None; import aiocos.config, aiocos.transfer.progress"
    subprocess.run([sys.executable, "-c", code], check=True)
