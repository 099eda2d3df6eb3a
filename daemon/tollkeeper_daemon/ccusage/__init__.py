"""ccusage beside us: its report read, kept and compared with the ledger, each difference named."""
