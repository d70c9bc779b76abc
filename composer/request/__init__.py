"""What is to be written, and how its ids are drawn."""
