"""What a caller that waits is told: that it waits, why, and whether a server is alive."""
