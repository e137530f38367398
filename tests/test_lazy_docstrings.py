"""Docstrings of settings, documents and results end with the texts of their fields."""

from __future__ import annotations

import pickle
import pydoc

import pytest

import aiocos
from aiocos.describe import summary_of


@pytest.mark.parametrize(
    ("cls", "field"),
    [
        (aiocos.RetryConfig, "attempts: Attempts of one call"),
        (aiocos.ClientConfig, "idle_timeout: Seconds without a byte"),
        (aiocos.CorsRule, "allowed_methods: Methods that a script may use"),
        (aiocos.UploadResult, "size: Size of the object in bytes"),
        (aiocos.Progress, "bytes_done: Bytes that were transferred"),
        (aiocos.SyncAction, "target: Path or `cos://` location"),
    ],
)
def test_help_shows_the_text_of_each_field(cls: type[object], field: str):
    shown = pydoc.plain(pydoc.render_doc(cls))
    assert field in shown
    assert summary_of(cls).splitlines()[0] in shown
    assert field not in summary_of(cls)


def test_settings_can_still_be_pickled_and_compared():
    config = aiocos.ClientConfig()
    assert pickle.loads(pickle.dumps(config)) == config
