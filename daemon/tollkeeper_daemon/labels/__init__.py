"""The labels of a piece of work, and what tells them. Pure."""
