"""Everything of a study as files: report, text, tables, figures, data, scripts, a list of hashes.

Pure: the same document, data and papers give the same bytes. `readerstudy.analysis.export` adds
what only the database knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from readerstudy.analysis.document import Document, Table
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.writing import drawing, notebook, report
from readerstudy.analysis.writing.checklists import CHECKLISTS, filled
from readerstudy.analysis.writing.grid import figures_of, tables_of
from readerstudy.analysis.writing.layout import source_of
from readerstudy.analysis.writing.methods import Source, methods_markdown, methods_of, references
from readerstudy.analysis.writing.paged import DrawingUnavailable, pdf_of
from readerstudy.analysis.writing.papers import NO_PAPERS, Papers
from readerstudy.analysis.writing.plain_data import COLUMN_TEXTS, data_files, reads_csv
from readerstudy.analysis.writing.table_csv import numbers_csv, table_csv, to_csv
from readerstudy.analysis.writing.table_docx import checklists_docx, tables_docx, text_docx
from readerstudy.analysis.writing.table_latex import tables_latex
from readerstudy.analysis.writing.table_xlsx import workbook
from readerstudy.stats.results import json_safe

FORMAT = "readerstudy-archive-1"
MANIFEST, README, READS = "MANIFEST.json", "README.txt", "reads_long.csv"
SCRIPT = Path(__file__).parent / "scripts" / "analysis.R"
FOLDERS = {
    "report/": "the report as HTML and PDF",
    "text/": "methods text, flow of the readings in words, checklists (STARD, GRRAS, CLAIM)",
    "tables/": "every table as CSV at full precision, LaTeX, one workbook and one Word file; "
    "numbers.csv holds each number of each table in a row",
    "figures/": "every figure as SVG, PDF, PNG at 300 dpi, and its Vega-Lite specification",
    "reads_long.csv": "every answer, one row per reading and question",
    "items.csv, readers.csv, questions.csv, arms.csv, settled.csv, plan.csv": "truth, readers, "
    "questions, arms, answers of a panel and plan, as the scripts read them; "
    "codebook_of_scripts.csv says what their columns are",
    "analysis.R": "does the main tables again in R from the CSV files of this archive alone and "
    "compares them: Rscript analysis.R",
    "analysis.ipynb": "the same in Python with numpy, scipy and pandas",
    "reads_wide.csv": "the same, one row per reading",
    "codebook.csv": "what columns and codes mean",
    "protocol.json": "the protocol as it was locked; protocol_version_*.json its amendments",
    "allocation_certificate.json": "from which the order of the cases can be drawn again",
    "deviations.csv": "departures from the protocol",
    "audit.csv": "the audit log of the study; people by code or part",
    "software.txt": "every package with its version",
    "exports.csv": "the files for other programs, and which could not be written and why",
    "results.json": "the results at full precision as the pages and the report show them",
    MANIFEST: "every file with its size and SHA-256",
}


def files(
    document: Document,
    data: Dataset,
    papers: Papers = NO_PAPERS,
    *,
    raw: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Return every file of the archive by its path.

    ``raw`` holds what only the database knows (protocol, certificate, raw reads, audit log); its
    ``reads_long.csv`` takes the place of the one that is written from the data.
    """
    source = source_of(document, data, papers)
    given = dict(raw or {})
    made = {
        **_report(document, data, papers),
        **_texts(source),
        **_tables(source.document),
        **_figures(source.document),
        **_data(data, papers),
        **_scripts(),
        "results.json": _json(document.to_dict()),
        **given,
    }
    made[README] = _readme(source, made).encode()
    return {**made, MANIFEST: _manifest(document, made)}


def _report(document: Document, data: Dataset, papers: Papers) -> dict[str, bytes]:
    text = report.html(document, data, papers)
    written = {"report/report.html": text.encode()}
    try:
        return {**written, "report/report.pdf": pdf_of(text)}
    except DrawingUnavailable as error:
        return {**written, "report/no_pdf.txt": f"{error}\n".encode()}


def methods_docx(source: Source) -> bytes:
    """Return the methods text with its references for Word."""
    title = f"Methods of {source.data.protocol.name}"
    cited = [f"{n}. {text}" for n, text in enumerate(references(source), start=1)]
    return text_docx(title, [*methods_of(source), ("References", cited)])


def _texts(source: Source) -> dict[str, bytes]:
    tables = [filled(one, source) for one in CHECKLISTS]
    flow = next(one for one in source.document.sections if one.code == "flow")
    return {
        "text/methods.md": methods_markdown(source).encode(),
        "text/methods.docx": methods_docx(source),
        "text/flow.txt": f"{flow.figures[0].alt}\n".encode(),
        "text/checklists.docx": checklists_docx("Reporting checklists", tables),
        **{f"text/checklist_{one.code}.csv": _checklist(one) for one in tables},
    }


def _checklist(table: Table) -> bytes:
    return table_csv(table).encode()


def _tables(document: Document) -> dict[str, bytes]:
    return {
        **{f"tables/csv/{o.name}.csv": table_csv(t).encode() for o, t in tables_of(document)},
        **{f"tables/latex/{name}": text.encode() for name, text in tables_latex(document).items()},
        "tables/tables.xlsx": workbook(document),
        "tables/tables.docx": tables_docx(document),
        "tables/numbers.csv": numbers_csv(document).encode(),
    }


def _figures(document: Document) -> dict[str, bytes]:
    return {
        f"figures/{name}": blob
        for one, figure in figures_of(document)
        for name, blob in drawing.files(figure, one.name).items()
    }


def _data(data: Dataset, papers: Papers) -> dict[str, bytes]:
    texts = {READS: reads_csv(data), **data_files(data, papers.later)}
    words = [
        (name, column, text)
        for name, columns in COLUMN_TEXTS.items()
        for column, text in columns.items()
    ]
    texts["codebook_of_scripts.csv"] = to_csv(("file", "column", "text"), words)
    return {name: text.encode() for name, text in texts.items()}


def _scripts() -> dict[str, bytes]:
    return {"analysis.R": SCRIPT.read_bytes(), "analysis.ipynb": notebook.notebook()}


def _readme(source: Source, made: Mapping[str, bytes]) -> str:
    there = [*made, MANIFEST]
    shown = {
        path: what
        for path, what in FOLDERS.items()
        if any(name.startswith(path.partition(",")[0]) for name in there)
    }
    lines = [
        source.document.title or source.data.protocol.name,
        "Research use only. Not for diagnosis or treatment.",
        "",
        *[f"{path}\n    {what}" for path, what in shown.items()],
        "",
        "The same data, plan and software give these files again, byte for byte. CSV files are",
        "UTF-8 with a header; undefined numbers are empty and their reason stands beside them.",
        "People are known by their codes. The audit log ends where the data do: looks at the",
        "results and runs of the analysis, which change nothing, stay in the system's own log.",
    ]
    return "\n".join(lines) + "\n"


def _manifest(document: Document, made: Mapping[str, bytes]) -> bytes:
    listed = [
        {"path": path, "bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()}
        for path, blob in sorted(made.items())
    ]
    return _json({"format": FORMAT, "rests_on": dict(document.provenance), "files": listed})


def _json(value: Any) -> bytes:
    text = json.dumps(json_safe(value), indent=1, ensure_ascii=False, sort_keys=True)
    return f"{text}\n".encode()
