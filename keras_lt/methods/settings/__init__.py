"""What can be set in the larger methods, and what was published for it."""
