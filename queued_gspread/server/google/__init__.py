"""All I/O to Google, and the credentials for it."""
