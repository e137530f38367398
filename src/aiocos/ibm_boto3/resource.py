"""stub"""

from typing import Any


class ServiceResource:
    def __init__(self, client: Any) -> None: ...
