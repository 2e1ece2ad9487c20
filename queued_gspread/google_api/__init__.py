"""Facts about Google's APIs, for clients and servers alike: no I/O, and nothing about the queue."""
