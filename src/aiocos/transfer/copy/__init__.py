"""Copies within the service: one CopyObject or parts copied by the service."""
