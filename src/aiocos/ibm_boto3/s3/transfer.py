"""stub"""
from __future__ import annotations
from typing import Any
from collections.abc import Callable as _C
Name = Any
Callback = Any
class TransferConfig: ...
class S3Transfer:
    def __init__(self, client: Any, config: Any = None) -> None: ...
