"""One module a target: ``render`` makes its file, ``losses`` says what of a description it can't carry."""
