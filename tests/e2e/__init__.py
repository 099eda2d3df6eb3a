"""The real Claude Code client, driven offline against a stand-in for the Messages API."""
