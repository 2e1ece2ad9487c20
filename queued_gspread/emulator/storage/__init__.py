"""Storage: what an emulator keeps in a file."""
