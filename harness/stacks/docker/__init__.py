"""The container stack: the platform from the parts that people run in production, in containers of one image."""
