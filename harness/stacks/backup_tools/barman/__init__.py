"""Barman's cloud tools: `archive` and `fetch` are what PostgreSQL runs, `backups` is what a drill asks."""
