"""The transformer: its weights, and the decoders that run it."""
