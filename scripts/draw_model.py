"""Draw the model of docs/paper.md 1.2 and 1.3 into docs/model.svg: ``python scripts/draw_model.py``.

Plain SVG, no libraries. Colours and ground follow the reader's scheme, so it can be read on any page.
"""

from pathlib import Path

TARGET = Path(__file__).parents[1] / "docs" / "model.svg"
WIDTH, HEIGHT = 1120, 676
STYLE = """
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2937; }
  .head { font-weight: 600; font-size: 15px; }
  .small { font-size: 12.5px; fill: #5b6472; }
  .shape { font: 12.5px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #5b6472; }
  .math { font: italic 15px Cambria, Georgia, "Times New Roman", serif; }
  .mid { text-anchor: middle; }
  .end { text-anchor: end; }
  .box { fill: #ffffff; stroke: #64748b; stroke-width: 1.4; }
  .seen { fill: #dbeafe; stroke: #3b6fb6; }
  .sum { fill: #bfdbfe; stroke: #3b6fb6; }
  .gru { fill: #d1fae5; stroke: #2f8f5b; }
  .slot { fill: #fde9c8; stroke: #b7791f; }
  .out { fill: #fbd5d5; stroke: #b84a4a; }
  .aux { stroke-dasharray: 5 4; }
  .ground { fill: #ffffff; }
  .line { fill: none; stroke: #64748b; stroke-width: 1.6; marker-end: url(#tip); }
  .plain { fill: none; stroke: #64748b; stroke-width: 1.2; }
  .tip { fill: #64748b; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e5e7eb; }
    .small, .shape { fill: #a7b0be; }
    .ground { fill: #0d1117; }
    .box { fill: #1b2430; stroke: #94a3b8; }
    .seen { fill: #1d3a5f; stroke: #7fb0ee; }
    .sum { fill: #27528a; stroke: #7fb0ee; }
    .gru { fill: #174a32; stroke: #6cc79a; }
    .slot { fill: #553c12; stroke: #e0b060; }
    .out { fill: #5c2424; stroke: #ec9a9a; }
    .line, .plain { stroke: #94a3b8; }
    .tip { fill: #94a3b8; }
  }"""


class Drawing:
    """SVG elements in the order in which they are drawn."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, kind: str = "", r: float = 6) -> None:
        """A rectangle."""
        self.parts.append(f'<rect class="box {kind}" x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}"/>')

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        """A line of text; ``_`` and a letter or digit after it are a subscript."""
        first, *rest = words.split("_")
        low = (f'<tspan dy="4" font-size="75%">{part[0]}</tspan><tspan dy="-4">{part[1:]}</tspan>' for part in rest)
        self.parts.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{first}{"".join(low)}</text>')

    def arrow(self, *points: tuple[float, float], kind: str = "line") -> None:
        """A line through points, with a tip at its end unless it is "plain"."""
        path = "L".join(f"{x:g} {y:g}" for x, y in points)
        self.parts.append(f'<path class="{kind}" d="M{path}"/>')


def observe(d: Drawing) -> None:
    """Six windows of snippets, the local Transformer, summaries, importance."""
    d.text(40, 34, "Observed: 30 s = 6 windows of 5 s", "head")
    d.text(40, 54, "each 33 snippets of 1280 features", "small")
    for window in range(6):
        y = 72 + 34 * window
        for snippet in range(33):
            d.box(40 + 5.7 * snippet, y, 4.2, 22, "seen", 1)
        d.arrow((232, y + 11), (250, y + 11))
        d.arrow((426, y + 11), (446, y + 11))
        for summary in range(4):
            d.box(452 + 15 * summary, y, 12, 22, "sum", 2)
        d.text(534, y + 16, f"· σ(w_{window + 1})", "math")
        d.arrow((598, y + 11), (708, y + 11))
    d.text(40, 292, "(B, 6, 33, 1280)", "shape")
    d.box(254, 66, 168, 208)
    lines = ["linear 1280 → 256", "+ position (33)", "2 layers, pre-LN", "DropPath 0.1"]
    d.text(338, 102, "Local Transformer", "head mid")
    for line, words in enumerate(lines, start=1):
        d.text(338, 102 + 25 * line, words, "mid")
    d.text(338, 229, "each window alone,", "small mid")
    d.text(338, 247, "weights shared", "small mid")
    d.text(346, 292, "(B, 6, 33, 256)", "shape")
    d.text(482, 34, "4 summaries", "head mid")
    d.text(482, 54, "average pooling", "small mid")
    d.text(562, 34, "importance", "head")
    d.text(562, 54, "1 scalar per window", "small")
    d.text(500, 292, "(B, 6, 4, 256)", "shape")
    # Beside the way to the slots: the head that says what was observed.
    d.arrow((338, 276), (338, 306))
    d.box(254, 312, 330, 44, "aux")
    d.text(268, 330, "Observation head, in training only:  (B, 33, 10)", "small")
    d.text(268, 348, "two convolutions on the last window's tokens", "small")


def remember(d: Drawing) -> None:
    """The GRU over 24 steps in time order; its outputs are the memory, its last state the context."""
    d.text(716, 34, "GRU over 24 steps, oldest first", "head")
    d.text(716, 54, "its outputs are the memory", "small")
    for window in range(6):
        y = 72 + 34 * window
        for step in range(4):
            x = 716 + 82 * step
            d.box(x, y, 54, 22, "gru", 4)
            if step < 3:
                d.arrow((x + 55, y + 11), (x + 80, y + 11))
            elif window < 5:  # on to the next window's first step
                d.arrow((x + 55, y + 11), (1032, y + 11), (1032, y + 28), (743, y + 28), (743, y + 33))
            else:
                d.text(x + 27, y + 16, "c", "math mid")
    d.text(716, 292, "(B, 24, 256)", "shape")
    # The last state c goes to Eq. (1), all steps to the cross-attention.
    d.arrow((989, 266), (989, 376), (124, 376), (124, 404))
    d.text(716, 370, "context c: the last state", "small")
    d.arrow((1042, 72), (1052, 72), (1052, 264), (1042, 264), kind="plain")
    d.arrow((1052, 264), (1052, 446), (608, 446))
    d.text(1044, 330, "memory", "small end")


def decode(d: Drawing) -> None:
    """Slots by Eq. (1), the decoder's layers, three heads."""
    d.text(40, 396, "16 slots", "head")
    d.text(40, 426, "q_k = e_k + α W_c c", "math")
    d.text(180, 426, "Eq. (1)", "small")
    for slot in range(16):
        x, y = 40 + 49 * (slot % 4), 444 + 36 * (slot // 4)
        d.box(x, y, 41, 26, "slot", 4)
        d.text(x + 20.5, y + 18, f"{slot + 1}", "small mid")
    d.text(40, 612, "(B, 16, 256)", "shape")
    d.arrow((240, 514), (290, 514))
    d.box(296, 392, 330, 202)
    d.text(461, 416, "4 decoder layers, pre-LN", "head mid")
    parts = [
        ("cross-attention to the memory", "gru"),
        ("self-attention among the slots", "slot"),
        ("feed-forward 1024", ""),
    ]
    for row, (words, kind) in enumerate(parts):
        y = 428 + 54 * row
        d.box(322, y, 278, 36, kind)
        d.text(461, y + 23, words, "mid")
        if row < 2:
            d.arrow((461, y + 37), (461, y + 52))
    d.text(296, 612, "(B, 16, 256)", "shape")
    d.arrow((630, 514), (680, 514))
    heads = [
        ("objectness", "o_k = σ(·)", "is this slot an action?", "(B, 16)"),
        ("class", "p_k = softmax(·)", "10 actions", "(B, 16, 10)"),
        ("offset", "r_k = softmax(·)", "20 bins of 250 ms", "(B, 16, 20)"),
    ]
    for row, (name, formula, meaning, shape) in enumerate(heads):
        y = 466 + 50 * row
        d.box(686, y, 394, 42, "out")
        d.text(700, y + 26, name, "head")
        d.text(806, y + 26, formula, "math")
        d.text(926, y + 18, meaning, "small")
        d.text(926, y + 35, shape, "shape")
        d.text(1072, y + 35, f"Eq. ({row + 2})", "small end")
    d.text(686, 636, "o_k > τ: one anticipation, of the likeliest class,")
    d.text(686, 656, "at the centre of the likeliest bin")


def drawn() -> str:
    """The whole file."""
    d = Drawing()
    observe(d)
    decode(d)
    remember(d)
    title = "The model: what 30 s of football become, from snippets to anticipated actions"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{STYLE}\n</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="10"/>\n' + "\n".join(d.parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    TARGET.write_text(drawn())
