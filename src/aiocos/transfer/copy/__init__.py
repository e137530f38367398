"""Copies within the service, by one request or in parts."""
