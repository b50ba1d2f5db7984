"""The Zabbix template, rendered from the catalogue of log patterns."""
