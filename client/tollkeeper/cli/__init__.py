"""The command ``toll``: a file for each verb."""
