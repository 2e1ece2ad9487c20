"""Storage: an emulator's state in a file."""
