"""Programs that run among a client's packages, not among ours."""
