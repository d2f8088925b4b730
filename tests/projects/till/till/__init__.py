"""The project of the till: a platform of containers that nobody of the harness has made."""
