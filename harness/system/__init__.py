"""The one door each to the machine: processes, their environment, time, waits, and small files."""
