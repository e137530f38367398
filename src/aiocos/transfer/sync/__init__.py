"""Directories and syncs: list two sides, compare them, and transfer what differs."""
