"""The live dashboard in the terminal, which ``toll top`` shows."""
