"""What was erased is nowhere, and everything else is where it was."""
