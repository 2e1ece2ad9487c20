"""Policy: pure rules about requests and what came of them."""
