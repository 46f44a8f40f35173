"""How pictures were made: the dialects of generation data."""
