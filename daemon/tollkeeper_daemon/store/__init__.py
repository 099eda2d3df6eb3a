"""Keeps the ledger on disk: one LMDB environment, one transaction for what belongs together."""
