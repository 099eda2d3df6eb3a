"""The snippets in the programs that they are for: real shells, tmux, starship and bars."""
