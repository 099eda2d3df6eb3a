"""How the limits stand: what each scope has used, and what is remembered of each limit."""
