"""The functions, each with a process of its own."""
