"""Workflows: what markers tell of them, and the spans of work at their stages."""
