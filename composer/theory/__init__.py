"""Keys, pitches, chord symbols and progressions as people write them; no scores here."""
