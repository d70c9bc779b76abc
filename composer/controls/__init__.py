"""What may be aimed at, in words and numbers, and how it is measured in cells."""
