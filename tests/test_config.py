"""Settings that cannot work are refused when they are made, with the name of the setting."""

import dataclasses
from typing import Any

import pytest

import aiocos
from aiocos import ClientConfig, ConcurrencyConfig, HedgeConfig, RetryConfig, TransferConfig
from aiocos.config import MAX_PART, MAX_PUT, MIN_PART

REFUSED: list[tuple[type[Any], dict[str, Any]]] = [
    (TransferConfig, {"part_size": MIN_PART - 1}),
    (TransferConfig, {"part_size": MAX_PART + 1}),
    (TransferConfig, {"copy_part_size": MIN_PART - 1}),
    (TransferConfig, {"copy_part_size": MAX_PART + 1}),
    (TransferConfig, {"copy_threshold": -1}),
    (TransferConfig, {"copy_threshold": MAX_PUT + 1}),
    (TransferConfig, {"concurrency": 0}),
    (TransferConfig, {"stream_concurrency": 0}),
    (TransferConfig, {"max_memory": MIN_PART, "part_size": MIN_PART + 1}),
    (ClientConfig, {"connect_timeout": 0}),
    (ClientConfig, {"idle_timeout": -1.0}),
    (ClientConfig, {"user_agent": "a\r\nHost: b"}),
    (ClientConfig, {"user_agent": "ü"}),
    (ClientConfig, {"max_connections": 0}),
    (ConcurrencyConfig, {"initial": 0}),
    (HedgeConfig, {"quantile": 0.0}),
    (HedgeConfig, {"quantile": 1.0}),
    (HedgeConfig, {"max_fraction": 0.0}),
    (HedgeConfig, {"max_fraction": 1.1}),
    (HedgeConfig, {"min_delay": -0.1}),
]

ALLOWED: list[tuple[type[Any], dict[str, Any]]] = [
    (TransferConfig, {"part_size": MIN_PART, "max_memory": MIN_PART}),
    (TransferConfig, {"part_size": MAX_PART, "max_memory": MAX_PART}),
    (TransferConfig, {"copy_part_size": MAX_PART, "copy_threshold": 0}),
    (TransferConfig, {"copy_part_size": MIN_PART, "copy_threshold": MAX_PUT}),
    (TransferConfig, {"concurrency": 1, "stream_concurrency": 1}),
    (ClientConfig, {"max_connections": 1, "retry": RetryConfig(attempts=1)}),
    (ConcurrencyConfig, {"initial": 1}),
    (HedgeConfig, {"max_fraction": 1.0, "min_delay": 0.0}),
]


@pytest.mark.parametrize(("cls", "options"), REFUSED, ids=str)
def test_a_setting_out_of_its_range_is_refused_by_name(cls: type[Any], options: dict[str, Any]):
    # One message covers all settings of HedgeConfig.
    name = "quantile" if cls is HedgeConfig else next(iter(options)).removeprefix("max_")
    with pytest.raises(aiocos.ConfigError, match=name):
        cls(**options)


@pytest.mark.parametrize(("cls", "options"), ALLOWED, ids=str)
def test_the_ends_of_a_range_belong_to_it(cls: type[Any], options: dict[str, Any]):
    assert dataclasses.asdict(cls(**options))


def test_a_call_needs_at_least_one_attempt():
    with pytest.raises(aiocos.ConfigError, match="attempts"):
        ClientConfig(retry=RetryConfig(attempts=0))
