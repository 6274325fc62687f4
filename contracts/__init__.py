"""The data contracts: the raw snapshot that is read and the tables that are written."""
