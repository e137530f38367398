"""Integrations of aiocos with other frameworks.

Each module needs its framework; this package itself imports none of them.
"""
