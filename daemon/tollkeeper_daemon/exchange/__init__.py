"""What is exchanged with others about the work: markers and claims come in, lines and comments go out."""
