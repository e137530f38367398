"""stub"""

from __future__ import annotations

from typing import Any

Name = Any
Callback = Any


class TransferConfig: ...


class S3Transfer:
    def __init__(self, client: Any, config: Any = None) -> None: ...
