"""The machine that runs drills. It knows nothing of the platform that is drilled."""
