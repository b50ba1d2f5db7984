"""What the commands share: flags, and where secrets and nodes come from."""
