"""One file or folder per backup tool: each fills `Backups`. `vault` is what they share: the store and its digests."""
