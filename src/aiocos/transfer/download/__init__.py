"""Downloads: ranges of an object into a file, resumable and verified."""
