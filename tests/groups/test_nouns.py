"""Groups are attributes of the client's class and of each client."""

from __future__ import annotations

import inspect
import pydoc
from unittest.mock import create_autospec

import aiocos
from aiocos.groups import Objects, Service


def test_the_class_of_the_client_lists_the_groups():
    assert set(inspect.get_annotations(Service)) <= set(dir(aiocos.Client))
    assert "objects = <class 'aiocos.groups.objects.Objects'>" in pydoc.plain(pydoc.render_doc(aiocos.Client))


def test_mock_with_the_client_as_spec_has_the_groups_and_nothing_else():
    mock = create_autospec(aiocos.Client, instance=True)
    assert mock.objects.put is not None
    assert not hasattr(mock, "object")


def test_each_client_has_groups_of_its_own():
    one, other = (aiocos.Client("http://localhost:1", credentials=aiocos.Anonymous()) for _ in range(2))
    assert isinstance(one.objects, Objects)
    assert one.objects is one.objects is not other.objects
