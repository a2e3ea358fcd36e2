"""Files of the multi-reader programs: iMRMC, RJafroc and MRMCaov.

Each format is read into and written from one :class:`MrmcTable`, whose columns are the arguments
of the analysis functions::

    result = obuchowski_rockette(**read_imrmc("study.imrmc").columns())

Formats: the iMRMC user manual (U.S. FDA, 2017 on); the RJafroc manual ("JAFROC" format, new
version with six TRUTH columns); the long data frame of the MRMCaov vignette.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BEGIN = "BEGIN DATA:"
_TRUTH_READERS = ("-1", "truth")
_TRUTH_MODALITIES = ("0", "truth")
_LONG_NAMES = {
    "reader": "reader",
    "test": "treatment",
    "case": "case",
    "truth": "truth",
    "score": "rating",
}
_FALSE_POSITIVES = ("FP", "NL")
_TRUE_POSITIVES = ("TP", "LL")
_RATINGS = ("FP_Rating", "NLRating", "NL_Rating", "TP_Rating", "LLRating", "LL_Rating")

Sheets = dict[str, list[list[Any]]]


@dataclass(frozen=True)
class MrmcTable:
    """Rows of an MRMC study; labels are text when read from a file.

    Attributes
    ----------
    reader, test, case : tuple
        Labels, one row per read.
    truth : tuple of int
        1 for positive, 0 for negative cases.
    score : tuple of float
    """

    reader: tuple[Any, ...]
    test: tuple[Any, ...]
    case: tuple[Any, ...]
    truth: tuple[int, ...]
    score: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse columns of differing length, truth other than 0 and 1, and mixed truths."""
        sizes = {name: len(column) for name, column in self.columns().items()}
        if len(set(sizes.values())) != 1:
            raise ValueError(f"columns must have the same length, got {sizes}")
        if any(t not in (0, 1) for t in self.truth):
            raise ValueError("truth must be 0 or 1 in every row")
        self.truth_of_cases()

    def columns(self) -> dict[str, tuple[Any, ...]]:
        """Return the columns by the names of the arguments of the analysis functions."""
        return {
            "reader": self.reader,
            "test": self.test,
            "case": self.case,
            "truth": self.truth,
            "score": self.score,
        }

    def rows(self) -> Iterator[tuple[Any, Any, Any, int, float]]:
        """Return reader, test, case, truth and score row by row."""
        return zip(*self.columns().values(), strict=True)

    def truth_of_cases(self) -> dict[Any, int]:
        """Return the truth of each case, in order of first appearance.

        Raises
        ------
        ValueError
            If a case has two truths.
        """
        truths: dict[Any, int] = {}
        for case, truth in zip(self.case, self.truth, strict=True):
            if truths.setdefault(case, truth) != truth:
                raise ValueError(f"case {case!r} has truth 0 in one row and 1 in another")
        return truths


def make_table(
    *,
    reader: Iterable[Any],
    test: Iterable[Any],
    case: Iterable[Any],
    truth: Iterable[float],
    score: Iterable[float],
) -> MrmcTable:
    """Return a table from columns of any kind.

    Raises
    ------
    ValueError
        As for :class:`MrmcTable`.

    Examples
    --------
    >>> table = make_table(reader=[1, 1], test=["a", "a"], case=[1, 2], truth=[0, 1], score=[2, 3])
    >>> table.truth_of_cases()
    {1: 0, 2: 1}
    """
    return MrmcTable(
        tuple(reader),
        tuple(test),
        tuple(case),
        tuple(int(t) if t in (0, 1) else t for t in truth),  # type: ignore[misc]
        tuple(float(s) for s in score),
    )


def write_imrmc(path: str | Path, table: MrmcTable, *, description: str = "") -> None:
    """Write the text format of iMRMC: ``reader,case,modality,score``, truth as reader -1.

    Parameters
    ----------
    path : path
    table : MrmcTable
    description : str
        First lines of the file, free text.

    Raises
    ------
    ValueError
        For labels with a comma, quote or line break, which the format cannot hold, or the labels
        that it reserves for the truth.
    """
    for reader, test, case, _, _ in table.rows():
        _plain(reader, "reader", _TRUTH_READERS)
        _plain(test, "test", _TRUTH_MODALITIES)
        _plain(case, "case", ())
    truths = table.truth_of_cases()
    lines = [
        *description.splitlines(),
        f"NR: {len(set(table.reader))}",
        f"N0: {sum(t == 0 for t in truths.values())}",
        f"N1: {sum(t == 1 for t in truths.values())}",
        f"NM: {len(set(table.test))}",
        "",
        _BEGIN,
        *(f"-1,{case},0,{truth}" for case, truth in truths.items()),
        *(f"{reader},{case},{test},{score!r}" for reader, test, case, _, score in table.rows()),
    ]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _plain(label: Any, name: str, reserved: Sequence[str]) -> None:
    text = str(label)
    if not text.strip() or text != text.strip() or any(mark in text for mark in ',"\n\r'):
        raise ValueError(
            f"{name} label {text!r} cannot be written: no comma, quote, line break or outer blank"
        )
    if text in reserved:
        raise ValueError(f"{name} label {text!r} is what the format calls the truth; rename it")


def read_imrmc(path: str | Path) -> MrmcTable:
    """Read the text format of iMRMC, the truth given as reader -1 or as reader "truth".

    Raises
    ------
    ValueError
        For a file without "BEGIN DATA:", a broken row (named by its line), or reads of cases
        without truth.
    """
    lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    starts = [i for i, line in enumerate(lines) if line.strip().upper() == _BEGIN]
    if not starts:
        raise ValueError(f"{Path(path).name} has no line {_BEGIN!r}, so it is not an iMRMC file")
    truths: dict[str, int] = {}
    reads: list[tuple[str, str, str, float]] = []
    for number, line in enumerate(lines[starts[0] + 1 :], start=starts[0] + 2):
        if not line.strip():
            continue
        reader, case, modality, score = _imrmc_row(line, number)
        if reader in _TRUTH_READERS and modality in _TRUTH_MODALITIES:
            _add_truth(truths, case, score, number)
        else:
            reads.append((reader, modality, case, score))
    return _with_truth(reads, truths)


def _imrmc_row(line: str, number: int) -> tuple[str, str, str, float]:
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != 4:
        raise ValueError(f"line {number} must be reader,case,modality,score; got {line.strip()!r}")
    return parts[0], parts[1], parts[2], _number(parts[3], f"line {number}")


def _number(text: Any, where: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {text!r} is not a number") from error


def _add_truth(truths: dict[str, int], case: str, score: float, number: int) -> None:
    if score not in (0.0, 1.0):
        raise ValueError(f"line {number}: the truth of case {case!r} must be 0 or 1, got {score:g}")
    if truths.setdefault(case, int(score)) != score:
        raise ValueError(f"line {number}: case {case!r} has two truths")


def _with_truth(
    reads: Sequence[tuple[str, str, str, float]], truths: Mapping[str, int]
) -> MrmcTable:
    lacking = sorted({case for _, _, case, _ in reads} - set(truths))
    if lacking:
        raise ValueError(
            f"{len(lacking)} cases were read but have no truth: {', '.join(lacking[:5])}"
        )
    return MrmcTable(
        tuple(r for r, _, _, _ in reads),
        tuple(t for _, t, _, _ in reads),
        tuple(c for _, _, c, _ in reads),
        tuple(truths[c] for _, _, c, _ in reads),
        tuple(s for _, _, _, s in reads),
    )


def write_long_csv(
    path: str | Path, table: MrmcTable, *, names: Mapping[str, str] | None = None
) -> None:
    """Write the long table of MRMCaov: reader, treatment, case, truth, rating.

    Parameters
    ----------
    path : path
    table : MrmcTable
    names : mapping, optional
        Column names by "reader", "test", "case", "truth", "score", where others are wanted.
    """
    header = _LONG_NAMES | dict(names or {})
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header[name] for name in table.columns())
        writer.writerows((*row[:4], repr(row[4])) for row in table.rows())


def read_long_csv(path: str | Path, *, names: Mapping[str, str] | None = None) -> MrmcTable:
    """Read the long table of MRMCaov, or another with the column names in ``names``.

    Raises
    ------
    ValueError
        For a missing column, truth other than 0 and 1, or a score that is no number.
    """
    header = _LONG_NAMES | dict(names or {})
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        found = reader.fieldnames or []
        lacking = [name for name in header.values() if name not in found]
        if lacking:
            raise ValueError(f"{Path(path).name} lacks the columns {', '.join(lacking)}")
        rows = list(reader)
    return make_table(
        reader=(row[header["reader"]] for row in rows),
        test=(row[header["test"]] for row in rows),
        case=(row[header["case"]] for row in rows),
        truth=(_number(row[header["truth"]], f"row {i}") for i, row in enumerate(rows, 2)),
        score=(_number(row[header["score"]], f"row {i}") for i, row in enumerate(rows, 2)),
    )


def write_rjafroc(path: str | Path, table: MrmcTable) -> dict[Any, int]:
    """Write the three sheets of RJafroc: TRUTH, FP and TP.

    RJafroc wants whole case numbers and a fully crossed study; cases get the numbers 1, 2, ...,
    negatives first.

    Parameters
    ----------
    path : path
        A name ending in ``.xlsx`` (needs openpyxl), or a folder for TRUTH.csv, FP.csv and TP.csv.
    table : MrmcTable

    Returns
    -------
    dict
        The number that each case got: keep it, the file does not hold the labels.

    Raises
    ------
    ValueError
        For a study that is not fully crossed, labels with a comma or blank, or ``.xlsx`` without
        openpyxl.
    """
    _refuse_incomplete(table)
    truths = table.truth_of_cases()
    numbers = {case: i for i, case in enumerate(sorted(truths, key=lambda c: truths[c]), start=1)}
    _write_sheets(Path(path), _rjafroc_sheets(table, numbers))
    return numbers


def _refuse_incomplete(table: MrmcTable) -> None:
    wanted = len(set(table.reader)) * len(set(table.test)) * len(set(table.case))
    reads = len({(r, t, c) for r, t, c, _, _ in table.rows()})
    if reads != wanted or len(table.score) != wanted:
        raise ValueError(
            f"RJafroc needs a fully crossed study of {wanted} reads; there are {len(table.score)}, "
            f"{reads} of them different"
        )
    for label in (*table.reader, *table.test):
        if any(mark in str(label) for mark in (",", " ", "\t", "\n")):
            raise ValueError(f"label {str(label)!r} cannot be written: no comma or blank")


def _rjafroc_sheets(table: MrmcTable, numbers: Mapping[Any, int]) -> Sheets:
    truths = table.truth_of_cases()
    readers = ",".join(str(r) for r in dict.fromkeys(table.reader))
    tests = ",".join(str(t) for t in dict.fromkeys(table.test))
    paradigm = iter(["ROC", "FCTRL"])
    truth_rows = [
        [number, truths[case], 0, readers, tests, next(paradigm, "")]
        for case, number in numbers.items()
    ]
    ordered = sorted(table.rows(), key=lambda row: numbers[row[2]])
    return {
        "TRUTH": [
            ["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"],
            *truth_rows,
        ],
        "FP": [
            ["ReaderID", "ModalityID", "CaseID", "FP_Rating"],
            *([str(r), str(t), numbers[c], s] for r, t, c, y, s in ordered if not y),
        ],
        "TP": [
            ["ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating"],
            *([str(r), str(t), numbers[c], 1, s] for r, t, c, y, s in ordered if y),
        ],
    }


def _write_sheets(path: Path, sheets: Sheets) -> None:
    if path.suffix.lower() == ".xlsx":
        book = _openpyxl().Workbook(write_only=True)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(path)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, rows in sheets.items():
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


def _openpyxl() -> Any:
    if importlib.util.find_spec("openpyxl") is None:
        raise ValueError(
            "xlsx files need the package openpyxl: install it, or give a folder for CSV files"
        )
    return importlib.import_module("openpyxl")


def read_rjafroc(path: str | Path) -> MrmcTable:
    """Read the TRUTH, FP (or NL) and TP (or LL) sheets of an ROC study of RJafroc.

    Parameters
    ----------
    path : path
        An ``.xlsx`` file (needs openpyxl), or a folder with TRUTH.csv, FP.csv and TP.csv.

    Raises
    ------
    ValueError
        For a missing sheet or column, several lesions or marks per case (not an ROC study), or
        ``.xlsx`` without openpyxl.
    """
    sheets = _read_sheets(Path(path))
    truths: dict[str, int] = {}
    for row in _records(sheets, ("TRUTH",), ("CaseID", "LesionID")):
        truth = int(_number(row["LesionID"], "sheet TRUTH, LesionID") != 0.0)
        if truths.setdefault(row["CaseID"], truth) != truth:
            raise ValueError(f"case {row['CaseID']} has two truths in sheet TRUTH")
    reads = []
    for names, truth in ((_FALSE_POSITIVES, 0), (_TRUE_POSITIVES, 1)):
        for row in _records(sheets, names, ("ReaderID", "ModalityID", "CaseID")):
            case = row["CaseID"]
            if truths.get(case) == 1 - truth:
                raise ValueError(
                    f"case {case} has a mark in sheet {names[0]} against its truth: only ROC "
                    "studies with one rating per case can be read"
                )
            reads.append((row["ReaderID"], row["ModalityID"], case, _rating(row, names[0])))
    return _with_truth(reads, truths)


def _rating(row: Mapping[str, str], sheet: str) -> float:
    where = f"sheet {sheet}, case {row['CaseID']}"
    texts = [row[name] for name in _RATINGS if row.get(name)]
    if not texts:
        raise ValueError(f"{where}: no rating in a column named {' or '.join(_RATINGS)}")
    return _number(texts[0], where)


def _read_sheets(path: Path) -> Sheets:
    if path.suffix.lower() == ".xlsx":
        book = _openpyxl().load_workbook(path, read_only=True, data_only=True)
        return {
            sheet.title.upper(): [list(row) for row in sheet.iter_rows(values_only=True)]
            for sheet in book.worksheets
        }
    sheets: Sheets = {}
    for file in sorted(path.glob("*.csv")):
        with file.open(newline="", encoding="utf-8-sig") as handle:
            sheets[file.stem.upper()] = [list(row) for row in csv.reader(handle)]
    return sheets


def _records(
    sheets: Sheets, names: Sequence[str], needed: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Return the rows of the first sheet found as text by column name, empty rows left out."""
    name = next((n for n in names if n in sheets), None)
    if name is None or not sheets[name]:
        raise ValueError(f"there is no sheet {' or '.join(names)}")
    header = [str(cell).strip() for cell in sheets[name][0]]
    lacking = [column for column in needed if column not in header]
    if lacking:
        raise ValueError(f"sheet {name} lacks the columns {', '.join(lacking)}")
    for row in sheets[name][1:]:
        texts = dict.fromkeys(header, "") | dict(zip(header, map(_cell_text, row), strict=False))
        if any(texts.values()):
            yield texts


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole else str(cell).strip()
