"""Spares the tests' processes what takes long in each of them, and shows nothing here.

A process imports this once; it holds for as long as that lives.
"""

from functools import cache, partial
from importlib import metadata

from cryptography.hazmat.primitives import serialization

# To prove that a key's numbers are sound takes 36 ms, each time that google-auth reads a key. Those
# of the tests are; what is no key at all is refused as ever.
serialization.load_pem_private_key = partial(
    serialization.load_pem_private_key, unsafe_skip_rsa_key_validation=True
)

# redis-py asks for its own version, which is a file's, with every connection.
metadata.version = cache(metadata.version)
