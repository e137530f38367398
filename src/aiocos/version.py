"""The version of the library, and the name it gives itself on the wire."""

__version__ = "0.1.0"

USER_AGENT = f"aiocos/{__version__}"
