"""Google: the only I/O to it, and the credentials for it."""
