"""Around the difference of areas: margin, other analyses, variance components, subgroups."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from readerstudy.analysis.document import (
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Table,
    Test,
    undefined,
)
from readerstudy.analysis.endpoints.graded import Graded, graded
from readerstudy.analysis.endpoints.over_readers import (
    ANALYSES,
    ASSUMPTIONS,
    SHORT,
    OverReaders,
    main_analysis,
    one_sided,
    over_readers,
)
from readerstudy.analysis.endpoints.parts import in_words, parts
from readerstudy.analysis.endpoints.words import fixed, listed, p_value
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

COMPONENTS = {
    "reader": "Readers",
    "test:reader": "Arms by readers",
    "error": "Error: one reader, one arm, other cases",
    "cov1": "Covariance: same reader, two arms",
    "cov2": "Covariance: two readers, same arm",
    "cov3": "Covariance: two readers, two arms",
}


def margin_block(
    block: Graded, entry: PlannedAnalysis, main: OverReaders, *, arm: int, suffix: str
) -> tuple[Table, list[Test]] | None:
    """Return non-inferiority and equivalence within the planned margin; None without a margin."""
    row = main.difference(0, arm)
    if entry.margin is None:
        return None
    inferior, equivalent = one_sided(row, entry.margin) if row else (math.nan, math.nan)
    reason = "" if not math.isnan(inferior) else (row.reason if row else main.reason) or "undefined"
    alpha = entry.alpha
    tests = [
        _margin_test(block, entry, main, code=f"{claim}{suffix}", p=p, arm=arm)
        for claim, p in (("non-inferiority", inferior), ("equivalence", equivalent))
    ]
    shown = (inferior < alpha / 2, equivalent < alpha)
    texts = (
        ("Not inferior", f"difference above {fixed(-entry.margin, 3)}", f"{alpha / 2:g}"),
        ("Equivalent", f"difference within ±{entry.margin:g}", f"{alpha:g} on each side"),
    )
    rows = tuple(
        Row(
            {
                "claim": claim,
                "means": means,
                "p": Number(p, "p", reason=reason),
                "level": level,
                "verdict": "not computed" if reason else "shown" if holds else "not shown",
            }
        )
        for (claim, means, level), p, holds in zip(
            texts, (inferior, equivalent), shown, strict=True
        )
    )
    columns = (
        Column("claim", "Claim", "text"),
        Column("means", "Means", "text"),
        Column("p", "p, one-sided"),
        Column("level", "Tested at", "text"),
        Column("verdict", "Verdict", "text"),
    )
    table = Table(
        code=f"margin{suffix}",
        title=f"Within the planned margin of {entry.margin:g}",
        columns=columns,
        rows=rows,
        method=f"One-sided t tests with the standard error and degrees of freedom of the mean "
        f"difference, {SHORT[main.name]}; equivalence by two one-sided tests (Schuirmann 1987)",
        n=block.n_words(),
        width="half",
    )
    return table, tests


def _margin_test(
    block: Graded, entry: PlannedAnalysis, main: OverReaders, *, code: str, p: float, arm: int
) -> Test:
    row = main.difference(0, arm)
    claim = code.partition("_")[0]
    null = f"the new arm is worse by {entry.margin:g} or more"
    if claim == "equivalence":
        null = f"the arms differ by {entry.margin:g} or more"
    return Test(
        code=code,
        what=f"Mean AUC, {claim}",
        name=f"{SHORT[main.name]}, one-sided t test"
        + (", both sides (Schuirmann 1987)" if claim == "equivalence" else ""),
        unit="reader and case",
        n=block.n_words(),
        null=null,
        assumptions=f"{ASSUMPTIONS}; margin fixed before the data",
        p=p,
        symbol="t",
        df=main.df_words(0, arm),
        reason=((row.reason if row else main.reason) or "") if math.isnan(p) else "",
    )


def margin_sentence(entry: PlannedAnalysis, main: OverReaders, arm: int) -> str:
    """Say whether the difference lies within the planned margin; empty without one."""
    row = main.difference(0, arm)
    if entry.margin is None or row is None:
        return ""
    inferior, equivalent = one_sided(row, entry.margin)
    if math.isnan(inferior):
        return f"Nothing can be said about the planned margin of {entry.margin:g}: {row.reason}."
    first = "shown" if inferior < entry.alpha / 2 else "not shown"
    second = "shown" if equivalent < entry.alpha else "not shown"
    return (
        f"That it is worse by less than the planned margin of {entry.margin:g} is **{first}** "
        f"({p_value(inferior)}, one-sided); that the arms are equivalent within it is "
        f"**{second}** ({p_value(equivalent)})."
    )


def global_test(block: Graded, main: OverReaders) -> Test:
    """Return the test that all arms are equal."""
    found = main.result
    f = found.f if found else math.nan
    is_f = not math.isnan(f)
    df = f"{found.df1:g}" + (f", {found.df2:.1f}" if is_f else "") if found else ""
    return Test(
        code="main",
        what=f"Mean AUC, all {len(block.arms)} arms",
        name=f"{SHORT[main.name]}, {'F' if is_f else 'chi-square'} test of all arms",
        unit="reader and case",
        n=block.n_words(),
        null="the mean area under the curve is the same in all arms",
        assumptions=ASSUMPTIONS,
        p=found.pvalue if found else math.nan,
        symbol="F" if is_f else "χ²",
        statistic=f if is_f else found.chi2 if found else math.nan,
        df=df,
        reason=((found.reason if found else main.reason) or "")
        if not found or math.isnan(found.pvalue)
        else "",
        warnings=("the tests of pairs of arms are not adjusted for their number",),
    )


def analyses_table(
    block: Graded,
    analyses: Sequence[OverReaders],
    names: Mapping[str, str],
) -> Table:
    """Return what each planned analysis over readers says; the first one decides."""
    rows = []
    for place, found in enumerate(analyses):
        for arm in range(1, len(block.arms)):
            rows.append(_analysis_row(block, found, arm, names, decides=place == 0))
    return Table(
        code="analyses",
        title="Mean difference by analysis",
        columns=(
            Column("name", "Analysis", "text"),
            *([Column("arms", "Arm", "text")] if len(block.arms) > 2 else []),
            Column("reference", "Reference", "estimate"),
            Column("arm", "Arm" if len(block.arms) > 2 else names[block.arms[1]], "estimate"),
            Column("difference", "Difference", "estimate"),
            Column("df", "df", "text"),
            Column("p", "p"),
            Column("reads", "Reads used"),
        ),
        rows=tuple(rows),
        method="The first row decides. "
        + "; ".join(f"{SHORT[one.name]}: {one.result.method}" for one in analyses if one.result),
        n=block.n_words(),
        notes=_warnings(analyses[1:]),
    )


def _warnings(analyses: Sequence[OverReaders]) -> tuple[str, ...]:
    return tuple(
        f"{SHORT[one.name]}: {text}."
        for one in analyses
        if one.result
        for text in one.result.warnings
    )


def _analysis_row(
    block: Graded, found: OverReaders, arm: int, names: Mapping[str, str], *, decides: bool
) -> Row:
    row = found.difference(0, arm)
    p = row.pvalue if row else math.nan
    reason = (row.reason if row else found.reason) or "undefined"
    reads: Cell = (
        Number(float(found.result.n), "count") if found.result else undefined(found.reason, "count")
    )
    cells: dict[str, Cell] = {
        "name": SHORT[found.name],
        "arms": names[block.arms[arm]],
        "reference": found.mean_number(0, "area"),
        "arm": found.mean_number(arm, "area"),
        "difference": found.difference_number(0, arm, "difference"),
        "df": found.df_words(0, arm) or ("normal" if row and not row.reason else ""),
        "p": Number(p, "p", reason=reason if math.isnan(p) else ""),
        "reads": reads,
    }
    return Row(cells, strong=decides)


def components_table(main: OverReaders, block: Graded) -> Table:
    """Return the variance components of the areas."""
    found = main.result.variance_components if main.result else {}
    nothing = main.reason or "the design does not part it from the others"
    rows = []
    for code, words in COMPONENTS.items():
        value = found.get(code, math.nan)
        number = undefined(nothing, "number") if math.isnan(value) else Number(value, "number")
        rows.append(Row({"component": words, "value": number}))
    return Table(
        code="components",
        title="Variance components of the AUC",
        columns=(Column("component", "Component", "text"), Column("value", "Variance")),
        rows=tuple(rows),
        method=f"{SHORT[main.name]} model (Obuchowski & Rockette 1995); negative estimates as "
        "they are, counted as 0 where the test says so",
        n=block.n_words(),
        width="half",
    )


def parts_table(data: Dataset, entry: PlannedAnalysis, names: Mapping[str, str]) -> Table | None:
    """Return the mean areas once more in the planned subgroups, without a test."""
    arms = tuple(names)
    rows = []
    found_parts = [(in_words(name), *one) for name in entry.subgroups for one in parts(data, name)]
    for title, level, part in found_parts:
        block = graded(part, entry, arms=arms)
        read = [bool(block.read[a].any()) for a in range(len(arms))]
        if block.reason or not all(read):
            reason = block.reason or "an arm has no reads"
            found = OverReaders(main_analysis(block, entry), None, reason)
        else:
            found = over_readers(block, entry, main_analysis(block, entry))
        rows += [_part_row(title, level, found, block, arm) for arm in range(1, len(arms))]
    if not rows:
        return None
    return Table(
        code="subgroups",
        title="In the planned subgroups",
        columns=(
            Column("part", "Subgroup", "text"),
            Column("level", "Part", "text"),
            Column("n", "Cases"),
            Column("reference", names[arms[0]], "estimate"),
            Column("arm", names[arms[1]] if len(arms) == 2 else "Arm", "estimate"),
            Column("difference", "Difference", "estimate"),
        ),
        rows=tuple(rows),
        method="As the mean over readers, in each part alone; no test, no adjustment",
        n=f"{len(rows)} parts",
    )


def _part_row(title: str, level: str, found: OverReaders, block: Graded, arm: int) -> Row:
    return Row(
        {
            "part": title,
            "level": level,
            "n": Number(float(len(block.items)), "count"),
            "reference": found.mean_number(0, "area"),
            "arm": found.mean_number(arm, "area"),
            "difference": found.difference_number(0, arm, "difference"),
        }
    )


def unused_methods(entry: PlannedAnalysis, used: Collection[str]) -> Passage | None:
    """Name the planned methods that this endpoint does not compute."""
    strange = [m for m in entry.methods if m not in used and m not in ANALYSES]
    if not strange:
        return None
    return Passage(
        f"**Planned and not computed here:** {listed(strange)}. They do not belong to "
        f"“{entry.endpoint_label.lower()}”."
    )
