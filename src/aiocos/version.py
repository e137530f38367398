"""The version of the library and its `User-Agent` header."""

__version__ = "0.1.0"

USER_AGENT = f"aiocos/{__version__}"
