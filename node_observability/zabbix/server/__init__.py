"""The Zabbix API, and the objects that a cluster needs on the server."""
