"""Directories and sync: listing both sides, comparing, planning, transferring."""
