"""The ledger beside the client's own totals."""
