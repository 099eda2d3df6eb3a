"""Requests that proxies saw, joined with those of the logs: each is one, with its account."""
