"""What the sentences of the features mean: each is a verb or two of the scenario; objectives come from the plan.

`every_drill` has what several drills say; each other module is of one drill, and a new one needs no entry anywhere. A
step says beside its sentence what that promises, asks and carries out. To list the drills all of these are imported:
what only a run needs (a database driver, a stack) is imported where it is used, or for types alone.
"""
