"""The simulation in `benchmarks/token_refresh.py` fetches as many tokens as the library does."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import sys
from pathlib import Path

from aiocos.auth.tokens import Token, TokenSource

from .fakes import Clock

PATH = Path(__file__).parent.parent.parent / "benchmarks" / "token_refresh.py"


async def test_simulation_fetches_as_often_as_the_library() -> None:
    spec = importlib.util.spec_from_file_location("token_refresh", PATH)
    assert spec is not None
    assert spec.loader is not None
    model = importlib.util.module_from_spec(spec)
    sys.modules["token_refresh"] = model
    spec.loader.exec_module(model)
    modelled = sum(model.followed(20, 10**6, random.Random(3)).asked.values()) / 20

    clock, chance, fetched = Clock(0.0), random.Random(3), 0
    source = TokenSource(clock=clock)

    async def fetch() -> Token:
        nonlocal fetched
        fetched += 1
        return Token.issued("t", model.LIFE, now=clock(), jitter=chance.random())

    while clock.now < model.DAY:
        await source.token(fetch)
        for _ in range(3):  # a refresh runs in the background
            await asyncio.sleep(0)
        clock.now += 10
    await source.cancel_unused_refresh()
    assert abs(fetched - modelled) <= 1
