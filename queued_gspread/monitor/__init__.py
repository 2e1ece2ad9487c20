"""What whoever runs a queue wants to see of it."""
