"""What bench/suite measured, as a summary, as a text table and as one self-contained page."""

import math
import os
import pathlib
import statistics
import subprocess
import time

TOO_SHORT_S = 0.02  # a row's time does not count in the means: it is the loader's, not malloc's
FIGURES = ("wall_s", "cpu_s", "resident_mib", "faults")


def middle(runs, figure):
    """Median, and half the distance between the quartiles as a part of it."""
    values = sorted(figures[figure] for figures in runs)
    median = statistics.median(values)
    if len(values) < 2 or median == 0:
        return median, 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return median, (high - low) / 2 / median


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              check=False).stdout.splitlines()[0]
    except (OSError, IndexError):
        return None


def machine():
    model = [line.partition(":")[2].strip() for line in
             pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    huge = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {"processor": model[0] if model else "unknown", "processors": os.cpu_count(),
            "kernel": os.uname().release, "libc": first_line("ldd", "--version"),
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
            "huge_pages": huge.read_text().strip() if huge.exists() else None,
            "load": os.getloadavg()[0], "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def summarise(runs, allocators, absent, absent_rows, rounds):
    """`base` is what ratios are against: mimalloc, or glibc where it is absent."""
    base = next(name for name in ("mimalloc", "glibc", allocators[0]) if name in allocators)
    rows = []
    for row in dict.fromkeys(row for row, _ in runs):
        cells = {}
        for name in (name for name in allocators if (row, name) in runs):
            derived = [{"wall_s": run["wall_s"], "cpu_s": run["user_s"] + run["system_s"],
                        "resident_mib": run["resident_kib"] / 1024, "faults": run["faults"]}
                       for run in runs[row, name]]
            cells[name] = {"runs": derived}
            for figure in FIGURES:
                cells[name][figure], cells[name][figure + "_spread"] = middle(derived, figure)
        live_kib = runs[row, next(iter(cells))][0].get("live_kib")
        rows.append({"name": row, "cells": cells,
                     "live_mib": None if live_kib is None else live_kib / 1024})
    means = {}
    for name in allocators:
        def ratio(figure):
            least = 0 if figure == "resident_mib" else TOO_SHORT_S
            ratios = [row["cells"][name][figure] / row["cells"][base][figure] for row in rows
                      if {name, base} <= row["cells"].keys() and row["cells"][base][figure] > least]
            return geometric_mean(ratios) if ratios else None
        means[name] = {figure: ratio(figure) for figure in FIGURES[:3]}
    return {"machine": machine(), "rounds": rounds, "allocators": allocators, "absent": absent,
            "absent_rows": absent_rows, "base": base, "rows": rows, "means": means}


def shown(mean):
    """None: of rows that are all too short."""
    return "-" if mean is None else f"{mean:.3f}"


def best_peer(row, figure):
    return min(cell[figure] for name, cell in row["cells"].items() if name != "strata")


def table(summary, figure, digits):
    names = summary["allocators"]
    lines = [f"{figure:<30}" + "".join(f"{name:>16}" for name in names) + "   strata/best peer"]
    for row in summary["rows"]:
        cells = "".join(f"{cell[figure]:>10.{digits}f} ±{cell[figure + '_spread']:>3.0%} "
                        if cell else f"{'failed':>15} "
                        for cell in (row["cells"].get(name) for name in names))
        to_best = ""
        if "strata" in names and len(row["cells"]) > 1:
            ratio = row["cells"]["strata"][figure] / max(best_peer(row, figure), 1e-9)
            to_best = f"{ratio:>10.2f}" + " !" * (ratio > 1.1)
        lines.append(f"{row['name']:<30}{cells}{to_best}")
    if figure in summary["means"][names[0]]:
        means = "".join(f"{shown(summary['means'][name][figure]):>15} " for name in names)
        lines.append(f"{'mean ratio to ' + summary['base']:<30}{means}")
    return "\n".join(lines)


def to_text(summary):
    parts = [table(summary, "wall_s", 3), table(summary, "cpu_s", 3),
             table(summary, "resident_mib", 1), table(summary, "faults", 0)]
    parts.append("\n".join(f"{name:<12} wall {shown(mean['wall_s'])}  cpu {shown(mean['cpu_s'])}  "
                           f"resident {shown(mean['resident_mib'])}  of {summary['base']}'s"
                           for name, mean in summary["means"].items()))
    parts += summary["failed"]
    parts.append(f"absent allocators: {', '.join(summary['absent']) or 'none'}; absent rows: "
                 + (", ".join(f"{row} (no {needs})"
                              for row, needs in summary["absent_rows"].items()) or "none"))
    return "\n\n".join(parts)
