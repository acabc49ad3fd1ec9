"""The vault's disk: found, listed, read and written beneath its root; staged, applied whole, undone."""
