"""The library: what is in a collection, in one SQLite file."""
