"""What each command does, the flags that several share, and where secrets and nodes come from."""
