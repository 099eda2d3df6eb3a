"""The usage files of Opus Orchestra: one for each run and day, written from the books of the ledger."""
