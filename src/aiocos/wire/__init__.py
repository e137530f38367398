"""Pure, synchronous conversion between operations and HTTP messages.

Nothing here uses the network, reads a clock or awaits.
"""
