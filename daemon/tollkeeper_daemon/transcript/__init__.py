"""Turns the bytes of Claude Code's session logs into records; nothing here touches a file."""
