"""The value objects of a piece, its meter and its grid of bars and parts."""
