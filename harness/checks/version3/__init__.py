"""What version 4 of the rules that judge has changed, as version 3 had it.

Frozen: packs that version 3, or one before it, judged are judged again by it. What is not here is the same in both.
"""
