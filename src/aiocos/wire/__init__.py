"""The wire, pure and synchronous: how an operation becomes a request and back. No network, no clock, no `await`."""
