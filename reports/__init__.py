"""How a pack is shown. Reports read packs only, and are pure: the same files always give the same bytes."""
