"""Pages and files that leave the program: one module a kind."""
