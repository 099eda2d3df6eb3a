"""Finds the running agents and keeps their accounts."""
