"""What the sentences of the features mean: each is a verb or two of the scene; objectives come from the plan.

`shared` has what several drills say, and every sentence that is only judged; each other module is of one drill.
"""

MODULES = (
    "drills.steps.shared",
    "drills.steps.restoration",
    "drills.steps.application",
    "drills.steps.network",
)
