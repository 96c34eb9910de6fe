"""How the store's tables came to their present form, one step a file."""
