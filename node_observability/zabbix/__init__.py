"""Provisions a Zabbix server: the template, auto-registration of nodes, and the clean-up of their hosts.

The folders follow the data: ``template``, ``server``, ``hosts``, ``commands``. Only ``server/api`` uses
pyzabbix, only ``template/render`` uses Jinja2, only ``hosts/nodes`` asks Kubernetes (import-linter).
"""
