"""Policy: pure rules about requests and their outcomes."""
