"""Tables as LaTeX with booktabs: one file each, and a document that shows them all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from readerstudy.analysis.document import Document, Table
from readerstudy.analysis.writing.grid import Field, Grid, Numbered, foot, grid, tables_of
from readerstudy.analysis.writing.words import GAP, plain

ESCAPES = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    GAP: r"\,",
    "\N{NO-BREAK SPACE}": "~",
    "\N{THIN SPACE}": r"\,",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "κ": r"$\kappa$",
    "χ": r"$\chi$",
    "π": r"$\pi$",
    "ρ": r"$\rho$",
    "σ": r"$\sigma$",
    "φ": r"$\varphi$",
    "′": r"$'$",
    "²": r"$^{2}$",
    "³": r"$^{3}$",
    "√": r"$\surd$",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "…": r"\ldots{}",
}
RAISED = {
    sign: f"$^{{{plain_sign}}}$" for sign, plain_sign in zip("⁻⁰¹⁴⁵⁶⁷⁸⁹", "-01456789", strict=True)
}
SIGNS = ESCAPES | RAISED
TWO_DOLLARS = re.compile(r"\$\$")
PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[margin=20mm]{geometry}
\usepackage{booktabs}
\usepackage{array}
\usepackage{graphicx}
\begin{document}
"""


def escaped(text: str) -> str:
    """Return words as LaTeX; neighbouring formulas become one."""
    return TWO_DOLLARS.sub("", "".join(SIGNS.get(sign, sign) for sign in text))


def table_latex(one: Numbered, table: Table) -> str:
    """Return one table as a ``table`` environment; it needs booktabs, array and graphicx."""
    made = grid(table)
    return "\n".join(
        [
            f"% {one.name}: {one.section.title} ({one.section.tag})".replace("\n", " "),
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{escaped(plain(table.title))}}}",
            rf"\label{{tab:{one.name}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{@{{}}{_alignment(made)}@{{}}}}",
            r"\toprule",
            *_heads(made),
            r"\midrule",
            *_body(made),
            r"\bottomrule",
            r"\end{tabular}}",
            *_notes(table),
            r"\end{table}",
            "",
        ]
    )


def tables_latex(document: Document) -> dict[str, str]:
    """Return every table by its file name, and ``all_tables.tex``, which shows them all."""
    files = {f"{one.name}.tex": table_latex(one, table) for one, table in tables_of(document)}
    shown = "".join(f"\\input{{{name.removesuffix('.tex')}}}\n\\clearpage\n" for name in files)
    return {**files, "all_tables.tex": f"{PREAMBLE}{shown}\\end{{document}}\n"}


def _alignment(made: Grid) -> str:
    long = [
        max((len(fields[place].text) for fields, _ in made.rows), default=0)
        for place in range(len(made.columns))
    ]
    return "".join(
        (r"p{45mm}" if long[place] > 40 else "l") if made.is_text(place) else "r"
        for place in range(len(made.columns))
    )


def _heads(made: Grid) -> list[str]:
    lines = []
    if made.has_groups:
        cells, rules, place = [], [], 1
        for words, width in made.groups:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(words)}}}")
            if words:
                rules.append(rf"\cmidrule(lr){{{place}-{place + width - 1}}}")
            place += width
        lines += [f"{' & '.join(cells)} \\\\", "".join(rules)]
    heads = [escaped(column.title) for column in made.columns]
    return [*lines, f"{' & '.join(heads)} \\\\"]


def _body(made: Grid) -> list[str]:
    lines = []
    for fields, strong in made.rows:
        if strong and len(made.rows) > 1:
            lines.append(r"\addlinespace")
        lines.append(f"{' & '.join(_cell(field, strong) for field in fields)} \\\\")
    return lines


def _cell(field: Field, strong: bool) -> str:
    text = field.text + (f" ({field.second})" if field.second else "")
    return rf"\textbf{{{escaped(text)}}}" if strong and text else escaped(text)


def _notes(table: Table) -> Sequence[str]:
    return [rf"\par\smallskip{{\footnotesize {escaped(plain(line))}\par}}" for line in foot(table)]
