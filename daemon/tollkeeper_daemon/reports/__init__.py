"""Reports from the sums: rows of the ledger in, report out; pure. Keys are ccusage's, and ours beside."""
