"""Real servers, started by the suite itself on free ports of this machine."""
