"""The keys and chords of scores: found in notes, read from what users give, put in, transposed."""
