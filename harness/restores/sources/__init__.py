"""One file a backup tool; and `storage`, where files lie, for those whose tool does not read them itself."""
