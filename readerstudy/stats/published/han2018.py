"""Han et al. 2018, Table 1: a visual Turing test of synthetic brain MR images, one reader.

Han C, Hayashi H, Rundo L, et al. GAN-based synthetic brain MR image generation. IEEE ISBI 2018:
734-738. Each row is 50 real and 50 synthetic images shown in random order to one physician.
"""

from __future__ import annotations

from dataclasses import dataclass

from readerstudy.stats.published.printed import (
    Cell,
    PublishedTable,
    open_cell,
    published_table,
    show_p,
    value_cell,
)

PAPER = "Han et al., IEEE ISBI 2018"
FAMILY = 6
"""Comparisons of the two networks that the paper draws."""


@dataclass(frozen=True)
class TuringRow:
    """One row of Table 1, as printed."""

    network: str
    sequence: str
    accuracy: str
    real_as_real: int
    real_as_synthetic: int
    synthetic_as_real: int
    synthetic_as_synthetic: int

    @property
    def name(self) -> str:
        """Place of the row in the paper."""
        return f"Table 1, {self.sequence}, {self.network}"

    @property
    def correct(self) -> int:
        """Images called what they are."""
        return self.real_as_real + self.synthetic_as_synthetic

    @property
    def n(self) -> int:
        """Images shown."""
        return self.correct + self.real_as_synthetic + self.synthetic_as_real


TABLE_1 = (
    TuringRow("DCGAN", "T1", "70", 26, 24, 6, 44),
    TuringRow("DCGAN", "T1c", "71", 24, 26, 3, 47),
    TuringRow("DCGAN", "T2", "64", 22, 28, 8, 42),
    TuringRow("DCGAN", "FLAIR", "54", 12, 38, 8, 42),
    TuringRow("DCGAN", "Concat 128", "77", 34, 16, 7, 43),
    TuringRow("DCGAN", "Concat 64", "54", 13, 37, 9, 41),
    TuringRow("WGAN", "T1", "64", 20, 30, 6, 44),
    TuringRow("WGAN", "T1c", "55", 13, 37, 8, 42),
    TuringRow("WGAN", "T2", "58", 19, 31, 11, 39),
    TuringRow("WGAN", "FLAIR", "62", 16, 34, 4, 46),
    TuringRow("WGAN", "Concat 128", "66", 31, 19, 15, 35),
    TuringRow("WGAN", "Concat 64", "53", 18, 32, 15, 35),
)


def check() -> PublishedTable:
    """Recompute Table 1 and the claims drawn from it.

    Returns
    -------
    PublishedTable

    Examples
    --------
    >>> check().find("Table 1, T1c, DCGAN, accuracy").verdict
    'reproduces'
    """
    cells = [cell for row in TABLE_1 for cell in _row_cells(row)]
    cells += [_network_cell(sequence) for sequence in dict.fromkeys(r.sequence for r in TABLE_1)]
    cells += [_chance_cell(row) for row in TABLE_1]
    cells += [
        value_cell(
            "Section 3.2.1, images per sequence", "15400", 220 * 70, method="product", n=220
        ),
        value_cell("Section 3.2.1, images in all", "61600", 4 * 220 * 70, method="product", n=220),
    ]
    return published_table(PAPER, cells)


def _row_cells(row: TuringRow) -> list[Cell]:
    real = row.real_as_real + row.real_as_synthetic
    synthetic = row.synthetic_as_real + row.synthetic_as_synthetic
    method = "counts of the row"
    return [
        value_cell(
            f"{row.name}, accuracy",
            row.accuracy,
            100 * row.correct / row.n,
            method=method,
            n=row.n,
            remark=f"real called real {row.real_as_real} of {real}, synthetic called synthetic "
            f"{row.synthetic_as_synthetic} of {synthetic}",
        ),
        value_cell(f"{row.name}, real images", "50", real, method=method, n=real),
        value_cell(f"{row.name}, synthetic images", "50", synthetic, method=method, n=synthetic),
    ]


def _network_cell(sequence: str) -> Cell:
    """Test "WGAN deceives significantly better, except FLAIR" for one kind of image."""
    from readerstudy.stats.proportions import two_proportions

    dcgan, wgan = (row for row in TABLE_1 if row.sequence == sequence)
    test = two_proportions(dcgan.correct, dcgan.n, wgan.correct, wgan.n, assume_independent=True)
    where = f"Section 4.2, {sequence}, WGAN against DCGAN"
    facts = (
        f"{dcgan.correct}% and {wgan.correct}% right, P = {show_p(test.p_pooled)}, Bonferroni over "
        f"{FAMILY} comparisons {show_p(min(1.0, FAMILY * test.p_pooled))}"
    )
    if sequence == "FLAIR":
        claim, holds = "not better", wgan.correct >= dcgan.correct
    else:
        claim, holds = "significantly better", test.p_pooled < 0.05
    return Cell(
        where=where,
        printed=claim,
        value=test.p_pooled,
        verdict="reproduces" if holds else "does not follow from the counts",
        words=facts,
        method=test.method,
        n=dcgan.n + wgan.n,
        warnings=("Taken as independent sets of images read by the same physician.",),
    )


def _chance_cell(row: TuringRow) -> Cell:
    """Test "unable to accurately distinguish" against 50%."""
    from readerstudy.stats.turing import binomial_against

    test = binomial_against(row.correct, row.n)
    where = f"Abstract, {row.sequence}, {row.network}, unable to distinguish"
    facts = f"{row.correct} of {row.n} right, P against 50% = {show_p(test.p_two_sided)}"
    if test.p_two_sided >= 0.05:
        return open_cell(
            where, "unable", f"{facts}: no proof of chance either, which needs a margin set before"
        )
    return Cell(
        where=where,
        printed="unable",
        value=test.p_two_sided,
        verdict="does not follow from the counts",
        words=f"{facts}: better than chance",
        method=test.method,
        n=row.n,
    )
