"""Who is there, and in which homes."""
