"""Debugs nodes and pods with ``kubectl debug``, and profiles that fit Bottlerocket."""
