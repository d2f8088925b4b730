"""All runs of a folder, with trends."""
