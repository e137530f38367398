"""Uploads: one PUT or a multipart upload, from a file, bytes or a stream."""
