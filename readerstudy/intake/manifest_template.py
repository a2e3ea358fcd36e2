"""An empty manifest for a study: its columns, example rows, and a sheet that explains them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from readerstudy.cases.models import Case
from readerstudy.imaging.sequences import LABELS
from readerstudy.intake.manifest_rows import COLUMNS, METHOD, ORIGINS, REFERENCE
from readerstudy.intake.manifest_tables import MAX_ROWS, SHEET
from readerstudy.studies.models import Study
from readerstudy.truth.models import ReferenceStandard

EXPLAINED = "columns"
FORMS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
PLAIN = ("path", "case", "subject", "sequence", "stratum", "day", "tags", "plane", "unit",
         "origin", "generator", "run", "record_sha256")  # fmt: skip
DEFAULT_SLOTS = ("t1", "t1c", "t2", "flair")
DEFAULT_ENDPOINTS = ("who_grade",)
EXAMPLES = 2
LISTED_ROWS = 2000
WIDTHS = {"path": 34, "record_sha256": 22, "tags": 20}


def template(form: str, study: Study | None = None) -> bytes:
    """Return the file of a template: "csv" or "xlsx", for a study or for none."""
    return _csv(study) if form == "csv" else _xlsx(study)


def _columns(study: Study | None) -> list[str]:
    references = (f"{REFERENCE}{name}" for name in endpoints(study))
    return [*PLAIN, *(column for name in references for column in (name, name + METHOD)), "notes"]


def endpoints(study: Study | None) -> list[str]:
    """Return the endpoints that are on record for the cases of a study, or for any case."""
    rows = ReferenceStandard.objects.order_by("endpoint")
    if study is not None and (own := rows.filter(case__in=study.cases.all())).exists():
        rows = own
    names = list(rows.values_list("endpoint", flat=True).distinct())
    return names or list(DEFAULT_ENDPOINTS)


def strata() -> list[str]:
    """Return the strata in use."""
    used = Case.objects.exclude(stratum="").order_by("stratum")
    return list(used.values_list("stratum", flat=True).distinct())


def _examples(study: Study | None) -> list[dict[str, str]]:
    slots = list(study.slots) if study is not None else list(DEFAULT_SLOTS)
    names = strata()
    return [
        {
            "path": f"example-{number}/{role}.nii.gz",
            "case": f"example-{number}",
            "sequence": role,
            "stratum": names[(number - 1) % len(names)] if names else "",
            "origin": ORIGINS[0],
            "notes": "Example: write your own rows in its place",
        }
        for number in range(1, EXAMPLES + 1)
        for role in slots
    ]


def _csv(study: Study | None) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _columns(study), restval="")
    writer.writeheader()
    writer.writerows(_examples(study))
    return text.getvalue().encode("utf-8-sig")  # the mark makes spreadsheets read UTF-8


def _xlsx(study: Study | None) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    names = _columns(study)
    _fill(sheet, names, _examples(study))
    allowed = _allowed(study)
    _explain(book.create_sheet(EXPLAINED), names, allowed)
    for name, values in allowed.items():
        _offer(sheet, get_column_letter(names.index(name) + 1), name, values)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _fill(sheet: Worksheet, names: list[str], rows: Iterable[dict[str, str]]) -> None:
    sheet.append(names)
    for row in rows:
        sheet.append([row.get(name, "") for name in names])
    for index, name in enumerate(names, start=1):
        letter = get_column_letter(index)
        column = sheet.column_dimensions[letter]
        column.width = WIDTHS.get(name, max(14, len(name) + 2))
        column.number_format = "@"  # text, so that no name becomes a date or loses its zeros
        for cell in sheet[letter]:
            cell.number_format = "@"
        _head(sheet.cell(1, index))
    sheet.freeze_panes = "A2"


def _head(cell: object) -> None:
    cell.font = Font(bold=True)  # type: ignore[attr-defined]
    cell.fill = PatternFill("solid", fgColor="E6EEF3")  # type: ignore[attr-defined]


def _allowed(study: Study | None) -> dict[str, list[str]]:
    slots = list(study.slots) if study is not None else []
    allowed = {
        "sequence": list(dict.fromkeys([*slots, *LABELS])),
        "origin": list(ORIGINS),
        "stratum": strata(),
    }
    return {name: values for name, values in allowed.items() if values}


def _explain(sheet: Worksheet, names: list[str], allowed: dict[str, list[str]]) -> None:
    sheet.append(["Column", "Meaning", "Needed", "Values"])
    for name in names:
        sheet.append([name, _meaning(name), _needed(name), ", ".join(allowed.get(name, []))])
    sheet.append([])
    for line in ABOUT:
        sheet.append([line])
    for index, width in enumerate((24, 70, 34, 44), start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
        _head(sheet.cell(1, index))
    for row in sheet.iter_rows(min_row=2, max_row=len(names) + 1):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"


ABOUT = (
    "Further columns: series_uid in place of path for DICOM series; case_code in place of case to "
    "label cases that are stored already; ref:NAME and ref:NAME:method for any endpoint.",
    "One row for each series. What is said of a case may stand in one of its rows or in all.",
    "An empty cell says nothing and changes nothing. No formulas, no merged cells.",
    f"At most {MAX_ROWS:,} rows.",
)


def _meaning(name: str) -> str:
    if name.endswith(METHOD):
        return "How the value before it is known, such as histopathology or follow-up of 6 months"
    if name.startswith(REFERENCE):
        return f"Reference standard for {name.removeprefix(REFERENCE)}; a correction needs a reason"
    return COLUMNS[name]


def _needed(name: str) -> str:
    needed = {
        "path": "for rows that bring images",
        "case": "always (or case_code)",
        "generator": "for synthetic cases",
    }
    return needed.get(name, "no")


def _offer(sheet: Worksheet, letter: str, name: str, values: list[str]) -> None:
    """Offer values in a list; only those of the origin are enforced."""
    source = sheet.parent.create_sheet(f"values {name}")
    for value in values:
        source.append([value])
    source.sheet_state = "hidden"
    address = f"{quote_sheetname(source.title)}!$A$1:$A${len(values)}"
    offered = DataValidation(type="list", formula1=f"={address}", allow_blank=True)
    offered.showErrorMessage = name == "origin"
    offered.errorTitle, offered.error = "Not a value", f"Use one of {', '.join(values)[:200]}."
    offered.add(f"{letter}2:{letter}{LISTED_ROWS}")
    sheet.add_data_validation(offered)
