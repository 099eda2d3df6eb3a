"""What the dashboard shows, as lines of text. Pure: no screen, no clock."""
