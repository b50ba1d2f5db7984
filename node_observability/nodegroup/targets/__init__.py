"""One module per target: ``render`` returns its file, ``losses`` what it can't carry of a node group."""
