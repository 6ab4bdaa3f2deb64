"""What comes too often, and whose it is."""
