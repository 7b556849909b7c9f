"""The page of what bench/suite measured; nothing outside it is needed to show it."""

import math
from html import escape

from suite_report import shown

COLOURS = ["#d62728", "#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#7f7f7f", "#17becf",
           "#bcbd22", "#e377c2"]
NAMES = {"wall_s": ("Wall time", "s", 3), "cpu_s": ("Processor time, user and system", "s", 3),
         "resident_mib": ("Peak resident", "MiB", 1), "faults": ("Page faults", "", 0)}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em;
       color: #222; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
td, th { padding: 2px 8px; text-align: right; border-bottom: 1px solid #ddd; }
td:first-child, th:first-child { text-align: left; }
.best { font-weight: bold; } .over { background: #fbe3e3; } small { color: #777; }
svg text { font: 12px system-ui, sans-serif; fill: #222; }
.scroll { overflow-x: auto; }
"""


def colours(summary):
    return dict(zip(summary["allocators"], COLOURS * 2))


def scale(values, low_pixel, high_pixel):
    """From a value to a pixel, by logarithm, and the ticks between the ends."""
    low, high = math.log(min(values) * 0.9), math.log(max(values) * 1.1)

    def pixel(value):
        return low_pixel + (math.log(value) - low) / (high - low) * (high_pixel - low_pixel)

    ticks = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 3, 4, 6, 8, 12, 16)
    return pixel, [tick for tick in ticks if low <= math.log(tick) <= high]


def scatter(summary):
    """Time against memory: geometric means of all rows, a dot an allocator."""
    means = summary["means"]
    if any(mean["wall_s"] is None for mean in means.values()):
        return "<p>No row takes long enough for a mean of its time.</p>"
    width, height, left, bottom = 640, 420, 60, 50
    x, x_ticks = scale([mean["resident_mib"] for mean in means.values()], left, width - 20)
    y, y_ticks = scale([mean["wall_s"] for mean in means.values()], height - bottom, 15)
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
             'aria-label="time against memory">']
    for tick in x_ticks:
        parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="15" y2="{height - bottom}" '
                     f'stroke="#eee"/><text x="{x(tick):.1f}" y="{height - bottom + 18}" '
                     f'text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        parts.append(f'<line x1="{left}" x2="{width - 20}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
                     f'stroke="#eee"/><text x="{left - 8}" y="{y(tick) + 4:.1f}" '
                     f'text-anchor="end">{tick:g}</text>')
    base = escape(summary["base"])
    parts.append(f'<text x="{(left + width) / 2}" y="{height - 10}" text-anchor="middle">peak resident, '
                 f'of {base}’s</text><text transform="translate(16 {height / 2}) rotate(-90)" '
                 f'text-anchor="middle">wall time, of {base}’s</text>')
    for name, colour in colours(summary).items():
        at_x, at_y = x(means[name]["resident_mib"]), y(means[name]["wall_s"])
        parts.append(f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="6" fill="{colour}"/>'
                     f'<text x="{at_x + 9:.1f}" y="{at_y + 4:.1f}">{escape(name)}</text>')
    return "".join(parts) + "</svg>"


def bars(summary, figure):
    """A group of bars a row: ratio to the base; the line in a bar spans the spread."""
    names, unit, label = summary["allocators"], 9, 190
    most = 3.0  # a longer bar is cut, its figure beside it
    width, group = 760, unit * len(names) + 12
    height = group * len(summary["rows"]) + 20
    per = (width - label - 60) / most
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="bars">']
    for number in (0.5, 1, 2, 3):
        at = label + number * per
        parts.append(f'<line x1="{at}" x2="{at}" y1="12" y2="{height}" stroke="#ccc"/>'
                     f'<text x="{at}" y="10" text-anchor="middle">{number:g}</text>')
    for index, row in enumerate(summary["rows"]):
        top = 18 + index * group
        parts.append(f'<text x="{label - 8}" y="{top + group / 2}" text-anchor="end">'
                     f'{escape(row["name"])}</text>')
        if summary["base"] not in row["cells"]:
            continue  # nothing to compare with
        base = row["cells"][summary["base"]][figure] or 1
        for place, (name, colour) in enumerate(colours(summary).items()):
            if name not in row["cells"]:
                continue
            cell = row["cells"][name]
            ratio, spread = cell[figure] / base, cell[figure + "_spread"]
            y, shown = top + place * unit, min(ratio, most)
            middle = y + unit / 2 - 1
            parts.append(f'<rect x="{label}" y="{y}" width="{shown * per:.1f}" height="{unit - 2}" '
                         f'fill="{colour}"><title>{escape(name)}: {ratio:.2f}</title></rect>')
            if ratio > most:
                parts.append(f'<text x="{label + most * per + 4:.1f}" y="{y + unit - 1}" '
                             f'style="font-size:9px">{ratio:.1f}</text>')
            else:
                parts.append(f'<line x1="{label + ratio * (1 - spread) * per:.1f}" '
                             f'x2="{label + min(ratio * (1 + spread), most) * per:.1f}" '
                             f'y1="{middle}" y2="{middle}" stroke="#000"/>')
    return "".join(parts) + "</svg>"


def raw_table(summary, figure):
    title, unit, digits = NAMES[figure]
    heads = "".join(f"<th>{escape(name)}</th>" for name in summary["allocators"])
    lines = [f"<h3>{title}{f', {unit}' if unit else ''}</h3><div class=scroll><table><tr><th></th>{heads}"
             "<th>live</th></tr>"]
    for row in summary["rows"]:
        best = min(cell[figure] for cell in row["cells"].values())
        cells = ""
        for name in summary["allocators"]:
            cell = row["cells"].get(name)
            if cell is None:
                cells += "<td>failed</td>"
                continue
            value = cell[figure]
            kind = "best" if value == best else "over" if name == "strata" and value > 1.1 * best else ""
            cells += (f'<td class="{kind}">{value:,.{digits}f} '
                      f'<small>±{cell[figure + "_spread"]:.0%}</small></td>')
        live = f'{row["live_mib"]:.1f}' if figure == "resident_mib" and row["live_mib"] else ""
        lines.append(f"<tr><td>{escape(row['name'])}</td>{cells}<td>{live}</td></tr>")
    if figure in summary["means"][summary["allocators"][0]]:
        cells = "".join(f"<td>{shown(summary['means'][name][figure])}</td>"
                        for name in summary["allocators"])
        lines.append(f"<tr><th>mean ratio to {escape(summary['base'])}</th>{cells}<td></td></tr>")
    return "".join(lines) + "</table></div>"


def legend(summary):
    return " ".join(f'<span style="color:{colour}">&#9632;</span> {escape(name)}'
                    for name, colour in colours(summary).items())


def facts(summary):
    rows = "".join(f"<tr><td>{escape(key.replace('_', ' '))}</td><td>{escape(str(value))}</td></tr>"
                   for key, value in summary["machine"].items())
    absent = ", ".join(summary["absent"]) or "none"
    absent_rows = ", ".join(f"{row} (no {needs})"
                            for row, needs in summary["absent_rows"].items()) or "none"
    failed = "; ".join(summary["failed"]) or "none"
    return (f"<table>{rows}</table><p>Rounds: {summary['rounds']}. Absent allocators: "
            f"{escape(absent)}. Absent rows: {escape(absent_rows)}. Failed: {escape(failed)}.</p>")


def to_html(summary):
    raw = "".join(raw_table(summary, figure) for figure in NAMES)
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>strata: benchmarks</title>"
            f"<style>{STYLE}</style><h1>strata beside other allocators</h1>"
            f"<p>Geometric means over all rows; further left is less memory, further down is less "
            f"time.</p>{scatter(summary)}"
            f"<h2>By row</h2><p>Ratio to {escape(summary['base'])}; the line in a bar is the spread of "
            f"its rounds (half the distance of the quartiles). {legend(summary)}</p>"
            f"<h3>Wall time</h3>{bars(summary, 'wall_s')}"
            f"<h3>Peak resident</h3>{bars(summary, 'resident_mib')}"
            f"<h2>Figures</h2><p>Medians; the best of a row is bold, strata’s over 1.1 of the best is "
            f"red. Live: what the program had asked for and not freed, at most.</p>{raw}"
            f"<h2>The machine</h2>{facts(summary)}</html>\n")
