"""Notices on a desktop of the tests' own, with a real notification service."""
