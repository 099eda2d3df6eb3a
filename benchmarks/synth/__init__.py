"""The parts of the corpus generator: text, tool calls, log lines, sessions, and the truth."""
