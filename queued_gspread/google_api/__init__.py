"""What is known of Google's APIs on both sides of the queue: no I/O, and nothing of ours."""
