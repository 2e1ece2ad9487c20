"""What the pages of the emulator and of the dashboard share: who may ask, what, and their files."""
