"""Who may do what, by each engine that may decide it."""
