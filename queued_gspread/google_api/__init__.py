"""Facts about Google's APIs that clients and servers share: no I/O, nothing of the queue."""
