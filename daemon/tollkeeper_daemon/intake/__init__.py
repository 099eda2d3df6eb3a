"""What comes in: noticed, read, posted, and told."""
