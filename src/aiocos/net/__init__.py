"""The network layer: send a request once, retry it, limit how many are in flight. It does not know any operation."""
