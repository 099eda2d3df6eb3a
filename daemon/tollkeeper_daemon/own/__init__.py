"""The user's own files: settings, prices, plans."""
