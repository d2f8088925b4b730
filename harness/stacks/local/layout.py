"""Where the regions of an embedded stack lie: their names, their zones, and the last numbers of their addresses."""

from __future__ import annotations

from harness.stacks.parts.layout import Layout
from harness.stacks.parts.s3 import REGION

WATCH = 9  # where alerts go, outside of all regions
NAMES = (2, 3)  # Route 53, and the name server
OUTSIDE = (1, *NAMES, WATCH)  # on the backbone of a stack of several regions: the harness, and what is in none of them

EAST = Layout(REGION, {"a": 11, "b": 12, "c": 13}, ("a", "b", "c"), {"envoy-1": 5, "envoy-2": 6}, 10)
# Half the size: it takes over when the first is gone. Its zones have names of their own, and so its database servers
# have: one that is called like a copy of the first region would be counted among those that a commit waits for.
WEST = Layout("us-west-2", {"west-a": 14, "west-b": 15}, ("west-a",), {"envoy-west": 7}, 8, "-west")
REGIONS = (EAST, WEST)
