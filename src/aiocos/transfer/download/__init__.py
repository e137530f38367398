"""Downloads: an object, in ranges, into a file or a file object."""
