"""Claude Code's ``settings.json`` as text: our status line and hooks go in, and come out again."""
