"""The Zabbix API, the objects that a cluster needs on the server, and how they are brought about."""
