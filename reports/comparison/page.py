"""Two packs side by side on one page that needs nothing else, in the look of a pack's own page."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from reports.comparison.compare import Comparison, Pair
from reports.run import bars
from reports.run.page import TEMPLATES, templates
from reports.words import SYMBOLS


@dataclass(frozen=True)
class Shown:
    """A scenario of both packs, with a picture for each figure that has something to draw."""

    anchor: str
    pair: Pair
    pictures: tuple[Markup, ...]


def html(compared: Comparison) -> str:
    """The page. The same packs give the same bytes."""
    return (
        templates()
        .get_template("compare.html")
        .render(
            compared=compared,
            cards=compared.cards,
            pairs=[_shown(place, pair) for place, pair in enumerate(compared.pairs, start=1)],
            note="; ".join(f"{card.letter} {card.place}, {card.size}" for card in compared.cards),
            symbols=SYMBOLS,
            style=Markup(TEMPLATES["style.css"]),  # ours, not the packs'
        )
    )


def _shown(place: int, pair: Pair) -> Shown:
    # the SVG was escaped where it was made: reports/svg.py
    drawn = [bars.draw(figure, key=f"s{place}f{number}") for number, figure in enumerate(pair.figures, start=1)]
    return Shown(f"scenario-{place}", pair, tuple(Markup(each) for each in drawn if each))
