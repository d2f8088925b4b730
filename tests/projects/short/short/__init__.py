"""A drill that is over as soon as it has hurt and healed something."""
