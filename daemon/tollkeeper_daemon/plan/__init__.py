"""The plan of a subscription: its windows, by account, and what each account was used for."""
