"""The accounts: what a request cost and where it is booked; pure, with no file or clock in it."""
