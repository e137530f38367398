"""Checks of customer keys (SSE-C) for the handlers of objects and parts.

The emulator stores only the MD5 of a key, and content unencrypted.
"""

import secrets

from aiocos.emulator.context import failure
from aiocos.wire.values import CustomerKey


def key_md5(key: CustomerKey | bytes | None) -> str | None:
    """Return the MD5 of a customer key. Nothing else of the key is stored."""
    if key is None:
        return None
    return key.md5 if isinstance(key, CustomerKey) else CustomerKey(key).md5


def check_key(stored: str | None, sent: str | None) -> None:
    """Compare the customer key of a request with an object's.

    Raises `InvalidRequest` if only one of the two has a key, `AccessDenied` if the keys differ.
    """
    if stored == sent:
        return
    if stored is None:
        raise failure("InvalidRequest", "The object is not encrypted with a customer key: send none.")
    if sent is None:
        raise failure("InvalidRequest", "The object was stored with a customer key: send the key to read it.")
    raise failure("AccessDenied", "The customer key is not the one the object was stored with.", 403)


def etag_for(md5: str, customer_md5: str | None) -> str:
    """Return the ETag of content: its MD5.

    With a customer key it is 32 random digits, which reveal nothing of the content.
    """
    return md5 if customer_md5 is None else secrets.token_hex(16)
