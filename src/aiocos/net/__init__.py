"""The network layer: send requests, retry them, and limit how many are in flight.

It does not know any operation.
"""
