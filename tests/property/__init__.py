"""Properties that hold for any input; ``--hypothesis-profile=fuzz`` looks longer."""
