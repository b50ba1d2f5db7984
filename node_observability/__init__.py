"""The operator's toolbox: what surrounds the node's programs, on a laptop or in CI, on any system.

It never imports ``journal_exporter`` (import-linter holds both to it): the sidecar must not pay for it.
"""
