"""The form of a piece: what letters such as ``"AABA"`` say, and what each bar is in the whole."""
