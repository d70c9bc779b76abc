"""Standard MIDI Files as bytes: read leniently, repaired, and written whole around ``symusic``."""
