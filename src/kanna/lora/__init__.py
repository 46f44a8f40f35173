"""LoRA and its kin: what their files hold, what that adds to a weight, and new ones made."""
