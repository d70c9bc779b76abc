"""Which ids may come next, whatever the weights say."""
