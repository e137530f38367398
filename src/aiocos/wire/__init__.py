"""Pure, synchronous conversion between operations and HTTP messages: no network, no clock, no `await`."""
