"""The page in a real browser (Debian's `chromium`): labels do not collide, nothing is clipped, nothing runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from reports.build import build
from tests import sample_cut, sample_pack
from tests.sample_pack import VOLUMES, Plot

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip  # a list
PLOTS = {
    "met": (Plot(rate=5.0), Plot(name=VOLUMES, rate=5.0)),
    "quick": (Plot(rate=5.0, pace=0.05, detected=0.4, bit=0.05),),
    "slow": (Plot(rate=1.0, pace=60.0, detected=300.0),),
    "missed": (Plot(name=VOLUMES, rate=5.0, rto=20.0, rpo=2.0, health_ok=False),),
    "stopped": (Plot(rate=5.0, stop_after="recover"), Plot(name=VOLUMES)),
    "killed": (Plot(name=VOLUMES, rate=5.0, kill_in="restore-the-backup"),),
    "idle": (Plot(rate=0.0),),
    "no-bite": (Plot(rate=5.0, bites=False),),
    "empty": (),
}
CUT = "zone-cut"
PROBE = """
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const seen = {wide: root.clientWidth, scroll: root.scrollWidth, collide: [], outside: [], crossed: [], shown: 0};
  for (const svg of page.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    seen.shown += 1;
    const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    const lines = [...svg.querySelectorAll("line.m")].map(line => line.getBoundingClientRect());
    for (const [words, r] of texts) for (const l of lines)
      if (l.left > r.left && l.left < r.right && l.top < r.bottom - 3 && l.bottom > r.top + 3) seen.crossed.push(words);
    for (const [words, r] of texts)
      if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.bottom > frame.bottom + 1 || r.top < frame.top - 1)
        seen.outside.push(words);
    for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
      const [a, b] = [texts[i][1], texts[j][1]];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 0.3 * Math.min(a.height, b.height)) seen.collide.push([texts[i][0], texts[j][0]]);
    }
  }
  document.body.textContent = JSON.stringify(seen);
});
"""


@dataclass(frozen=True)
class Browser:
    """Each call is a browser of its own, with a new profile."""

    profile: Path

    def run(self, page: Path, *options: str) -> str:
        """What it printed."""
        argv = [CHROMIUM, *FLAGS, f"--user-data-dir={self.profile}", *options, page.as_uri()]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    assert Path(CHROMIUM).exists(), "chromium is not here; apt-get install chromium"
    return Browser(tmp_path / "profile")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each kind of pack, as a file."""
    root = tmp_path_factory.mktemp("pages")
    for name, plots in PLOTS.items():
        folder = sample_pack.write(root / name, *plots)
        (folder / "index.html").write_bytes(build(folder)["index.html"])
    folder = sample_cut.write(root / CUT)
    (folder / "index.html").write_bytes(build(folder)["index.html"])
    return {name: root / name / "index.html" for name in (*PLOTS, CUT)}


def probed(browser: Browser, page: Path, width: int) -> dict[str, Any]:
    """The layout of the page in a frame of that width (a window cannot be as narrow as a phone)."""
    inner = escape(page.read_text(), quote=True)
    frame = f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{inner}"></iframe>'
    around = page.with_name(f"probe-{width}.html")
    around.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{frame}<script>{PROBE}</script></body>')
    dom = browser.run(around, "--window-size=1400,1000", "--dump-dom")
    seen: dict[str, Any] = json.loads(unescape(dom.partition("<body>")[2].partition("</body>")[0]))
    return seen


@pytest.mark.parametrize("width", [1280, 420])
@pytest.mark.parametrize("name", [*PLOTS, CUT])
def test_labels_do_not_collide_and_nothing_is_clipped(
    name: str, width: int, browser: Browser, pages: dict[str, Path]
) -> None:
    """No two labels of a picture lie on each other, no mark's line crosses one, and nothing is clipped."""
    seen = probed(browser, pages[name], width)
    assert seen["wide"] == width
    assert seen["scroll"] <= width
    assert seen["collide"] == [] and seen["outside"] == [] and seen["crossed"] == []
    assert seen["shown"] == pages[name].read_text().count("<figure>"), "one picture of each pair is shown"


def test_nothing_in_a_pack_can_run(browser: Browser, tmp_path: Path) -> None:
    """A browser that opens a page made of hostile text runs none of it, and keeps the page's own title."""
    hostile = "</title></svg><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
    folder = sample_pack.write(tmp_path / "hostile", Plot(rate=5.0, title=hostile), operator=hostile, sabotage=hostile)
    page = folder / "index.html"
    page.write_bytes(build(folder)["index.html"])
    dom = browser.run(page, "--dump-dom")
    assert "<title>MET: Database Backup Restoration</title>" in dom
    assert "<script" not in dom and "<img" not in dom


def test_light_dark_and_paper_are_drawn(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """The page has a light and a dark form that differ, and prints."""
    light, dark, paper = tmp_path / "light.png", tmp_path / "dark.png", tmp_path / "page.pdf"
    browser.run(pages["met"], "--window-size=1280,1400", f"--screenshot={light}")
    browser.run(
        pages["met"], "--window-size=1280,1400", f"--screenshot={dark}", "--blink-settings=preferredColorScheme=0"
    )
    browser.run(pages["met"], f"--print-to-pdf={paper}")
    assert min(light.stat().st_size, dark.stat().st_size) > 50_000
    assert light.read_bytes() != dark.read_bytes()
    assert paper.read_bytes().startswith(b"%PDF")


def test_the_probe_sees_a_collision(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """A picture with one label twice, one outside, and a line through all is caught: the test above can fail."""
    page = tmp_path / "index.html"
    twice = re.sub(r'(<text [^>]*class="t ml[^>]*>[^<]*</text>)', r"\1\1", pages["met"].read_text(), count=1)
    through = re.sub(
        r'<line [^>]*class="m [^>]*>', '<line x1="300" x2="300" y1="0" y2="900" class="m"/>', twice, count=1
    )
    page.write_text(through.replace('<text x="10" ', '<text x="-40" ', 1))
    seen = probed(browser, page, 1280)
    assert seen["collide"] and seen["outside"] and seen["crossed"]
