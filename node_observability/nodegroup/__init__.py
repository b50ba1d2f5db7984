"""Node groups: renders one description for every way of creating nodes, and checks existing user data.

A description is read (``load``), checked (``description``), assembled as Bottlerocket's settings
(``assembly``), checked as user data is (``rules``), and rendered (``targets``). ``schema`` has the tables of
settings and of values.
"""
