"""One run: its page, its lines at the end, JUnit, and the root-cause drafts."""
