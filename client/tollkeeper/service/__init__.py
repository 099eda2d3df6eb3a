"""The daemon as a service of the login, by systemd or launchd: its files, and who keeps it running."""
