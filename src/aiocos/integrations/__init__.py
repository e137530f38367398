"""aiocos in other frameworks. Each module needs its framework; this package imports none of them."""
