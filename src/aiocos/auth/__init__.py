"""Credentials, the tokens issued for them, and the signatures they make."""
