"""The tray: what it says and draws, and the whole of it on a display of its own."""
