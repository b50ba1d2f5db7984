"""Live debugging of nodes and pods with ``kubectl debug``: profiles for Bottlerocket, and the command."""
