"""What version 3 of the rules that judge has changed, as version 2 had it.

Frozen: packs that version 2 judged are judged again by it. What is not here is the same in both.
"""
