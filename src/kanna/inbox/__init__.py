"""A folder whose files are looked at, converted and put away as they come in."""
