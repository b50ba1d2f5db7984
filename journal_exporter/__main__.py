"""Runs the command line: ``python -m journal_exporter``."""

from journal_exporter.cli import main

raise SystemExit(main())
