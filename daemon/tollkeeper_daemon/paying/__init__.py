"""Who pays for what was asked for, and from when on."""
