"""Where the river goes: what is told to the world outside the daemon."""
