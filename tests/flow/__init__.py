"""A real daemon in a home of its own, driven through the client library and the toll command."""
