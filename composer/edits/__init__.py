"""What is changed in a user's score: from its ticks to the grid and back, and as patches."""
