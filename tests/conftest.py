"""What all tests share: how hypothesis works here."""

from __future__ import annotations

from hypothesis import settings

# The machines that run this are shared; a slow example says nothing about the code.
settings.register_profile("aiocos", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("aiocos")
