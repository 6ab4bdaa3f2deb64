"""``make demo``: a server, a worker and one real task, as real processes, and the result after a crash."""
