"""Where news comes from: homes, logs, session files, processes; all input and output of reading."""
