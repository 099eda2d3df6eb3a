"""Shows the agents and their costs in the desktop's tray."""
