"""Node groups: one description in, every spelling of it out, and existing user data checked.

``kinds`` and ``walk`` say what a value may be; ``model`` is the table of Bottlerocket's settings;
``description`` is our own input; ``targets`` render; ``check`` judges user data.
"""
