"""What the owner of a platform that somebody else made wants of a drill, as its file says it. No flag weakens it."""
