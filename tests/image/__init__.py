"""The image that the Containerfile describes, run as a node runs it."""
