"""Uploads: one PUT or a multipart upload, from bytes, a file or a stream."""
