"""Zabbix as it is: database, server, API and agents, started by the tests on loopback."""
