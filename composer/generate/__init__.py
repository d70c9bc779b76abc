"""The sampling loop: from a request to ids and notes."""
