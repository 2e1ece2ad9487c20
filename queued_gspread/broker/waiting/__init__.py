"""What a waiting caller learns: that it waits, why, and whether a server is alive."""
