"""Acts: what a turn does (states the fee, refuses, scolds), recognised by meaning, whatever the words."""
