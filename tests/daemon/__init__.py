"""Unit tests of the daemon's parts: nothing here is started, watched or signalled by the daemon."""
