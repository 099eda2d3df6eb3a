"""Answers calls on control.sock: a file for each verb, of the same name as the client's."""
