"""What the calendar of the plan demands, and what the sealed packs show of it.

Everything is computed from the plan, the waivers, the packs of one folder and a date, and nothing is kept: no second
place can disagree with the packs. Only `runs` and `waivers` open files; the rest are pure functions.
"""
