"""The keys of the store's tables."""

import hashlib

# LMDB takes keys of up to 511 bytes; longer names are filed under their digest.
LONGEST_KEY = 400


def key_of(name: str) -> bytes:
    """The key of what has this name."""
    key = name.encode("utf-8", "surrogatepass") or b"-"
    return key if len(key) <= LONGEST_KEY else hashlib.blake2b(key).hexdigest().encode()
