"""Proxies over several accounts, ccflare and better-ccflare: found, followed, and told of."""
