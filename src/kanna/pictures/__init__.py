"""Picture files: their texts, read and replaced without touching the image."""
