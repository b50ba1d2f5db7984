"""The Zabbix side: the template, what a server needs so that nodes register, and their clean-up.

Only ``api`` knows pyzabbix, only ``render`` knows Jinja2, only ``nodes`` asks Kubernetes (import-linter).
"""
