"""The network: one session, one attempt, and when to make another. Nothing here knows an operation."""
