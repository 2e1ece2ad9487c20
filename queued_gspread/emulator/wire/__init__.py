"""Messages as Google's APIs spell them: fields, masks and errors."""
