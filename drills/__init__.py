"""What the words of the features mean for this platform: its plan, its reconciliation, its sabotage twins."""

from pathlib import Path

HERE = Path(__file__).parent
DRILLS = HERE
PLAN = HERE / "plan.yaml"
WAIVERS = HERE / "waivers.yaml"
FEATURES = HERE.parent / "features"
