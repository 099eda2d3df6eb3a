"""Reads logs on from where they were read last."""
