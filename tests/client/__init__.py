"""Unit tests of the light client: no daemon runs here."""
