"""Several candidates written in one batch, and ranked."""
