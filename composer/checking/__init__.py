"""Whether a finished score keeps what was asked for, told by plain loops over its notes.

It shares the constraints with what writes scores, and no code that works out what they mean.
"""
