"""One scenario under way: its verbs, waits, faults and end."""
