"""Cell values: what is entered, what is computed and what is shown."""
