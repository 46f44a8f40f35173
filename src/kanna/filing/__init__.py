"""Models moved, copied and removed together with the files beside them."""
