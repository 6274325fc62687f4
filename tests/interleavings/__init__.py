"""Every interleaving of the workers of a table, on the product's own code."""
