"""Figures of Park et al. 2021 as printed (Sci Rep 2021;11:9912)."""

from __future__ import annotations

from dataclasses import dataclass

GROUP_SIZES = {
    "wild type": 80,
    "mutant": 38,
    "synthetic": 38,
    "validation wild type": 33,
    "validation mutant": 11,
}
TABLE_1: dict[str, dict[str, tuple[int, ...]]] = {
    "enhancement": {
        "wild type": (47, 28, 5),
        "mutant": (19, 8, 11),
        "synthetic": (9, 5, 24),
        "validation wild type": (24, 6, 3),
        "validation mutant": (3, 3, 5),
    },
    "location": {
        "wild type": (29, 42, 9),
        "mutant": (25, 10, 3),
        "synthetic": (25, 12, 1),
        "validation wild type": (16, 13, 4),
        "validation mutant": (8, 2, 1),
    },
    "necrosis": {
        "wild type": (72, 8),
        "mutant": (23, 15),
        "synthetic": (19, 19),
        "validation wild type": (30, 3),
        "validation mutant": (6, 5),
    },
    "surrounding": {
        "wild type": (35, 45),
        "mutant": (29, 9),
        "synthetic": (32, 6),
        "validation wild type": (8, 25),
        "validation mutant": (11, 0),
    },
    "margin": {
        "wild type": (4, 76),
        "mutant": (20, 18),
        "synthetic": (27, 11),
        "validation wild type": (0, 33),
        "validation mutant": (6, 5),
    },
}
"""Counts per level in the order of the paper: rim, nodular, patch; frontal or insula, other,
thalamus or brainstem; necrosis yes, no; tumour, oedema dominant; clear, indistinct."""
COMPARISONS = {
    "P+": ("mutant", "synthetic"),
    "P*": ("wild type", "mutant"),
    "P**": ("wild type", "synthetic"),
    "validation P": ("validation wild type", "validation mutant"),
}
TABLE_1_P = {
    "enhancement": {"P+": "0.01", "P*": "<0.001", "P**": "0.002", "validation P": "0.01"},
    "location": {"P+": "0.55", "P*": "0.01", "P**": "0.008", "validation P": "0.36"},
    "necrosis": {"P+": "0.35", "P*": "0.001", "P**": "<0.001", "validation P": "0.007"},
    "surrounding": {"P+": "0.39", "P*": "0.001", "P**": "<0.001", "validation P": "<0.001"},
    "margin": {"P+": "0.10", "P*": "<0.001", "P**": "<0.001", "validation P": "<0.001"},
}
Printed = dict[int, tuple[str, str]]
UNIVARIABLE: dict[str, tuple[str, int, int, Printed]] = {
    "frontal or insula": (
        "location", 0, 1, {1: ("1.29", "0.004"), 2: ("1.10", "0.009"), 3: ("1.19", "<0.001")},
    ),
    "thalamus or brainstem": (
        "location", 2, 1, {1: ("0.95", "0.18"), 2: ("2.05", "0.06"), 3: ("1.35", "0.03")},
    ),
    "absence of necrosis": (
        "necrosis", 1, 0, {1: ("1.77", "<0.001"), 2: ("2.19", "<0.001"), 3: ("1.98", "<0.001")},
    ),
    "thick nodular": (
        "enhancement", 1, 0, {1: ("-0.35", "0.47"), 2: ("-0.07", "0.90"), 3: ("-0.25", "0.54")},
    ),
    "patch enhancing": (
        "enhancement", 2, 0, {1: ("1.69", "0.005"), 2: ("3.22", "<0.001"), 3: ("2.46", "<0.001")},
    ),
    "oedema dominant": (
        "surrounding", 1, 0, {1: ("-0.91", "0.04"), 2: ("-3.56", "0.001"), 3: ("-1.62", "0.001")},
    ),
    "distinct margin": (
        "margin", 0, 1, {1: ("2.94", "<0.001"), 2: ("3.84", "<0.001"), 3: ("3.47", "<0.001")},
    ),
}  # fmt: skip
"""Term: variable of Table 1, level, reference level, and per model coefficient and P."""
MULTIVARIABLE = (
    (1, "frontal or insula", ("1.34", "1.24", "1.45"), "0.02"),
    (1, "thalamus or brainstem", ("0.25", "0.09", "0.41"), "0.77"),
    (1, "absence of necrosis", ("1.91", "1.77", "2.05"), "0.017"),
    (1, "thick nodular", ("-1.50", "-1.64", "-1.36"), "0.05"),
    (1, "patch enhancing", ("0.035", "-0.135", "0.205"), "0.97"),
    (1, "oedema dominant", ("-0.54", "-0.646", "-0.434"), "0.35"),
    (1, "distinct margin", ("2.68", "2.56", "2.80"), "<0.001"),
    (2, "frontal or insula", ("1.52", "1.04", "2.35"), "0.04"),
    (2, "thalamus or brainstem", ("3.33", "2.89", "3.77"), "0.77"),
    (2, "absence of necrosis", ("-0.06", "-0.24", "0.12"), "0.95"),
    (2, "thick nodular", ("0.25", "0.086", "0.414"), "0.78"),
    (2, "patch enhancing", ("3.46", "3.26", "3.66"), "0.002"),
    (2, "oedema dominant", ("-1.29", "-1.5", "-1.08"), "0.26"),
    (2, "distinct margin", ("3.88", "3.04", "4.72"), "<0.001"),
    (3, "frontal or insula", ("1.32", "1.24", "1.4"), "0.008"),
    (3, "thalamus or brainstem", ("0.78", "0.64", "0.91"), "0.36"),
    (3, "absence of necrosis", ("1.13", "-0.52", "0.78"), "0.08"),
    (3, "thick nodular", ("-0.58", "0.66", "-0.49"), "0.27"),
    (3, "patch enhancing", ("1.97", "1.87", "2.07"), "0.002"),
    (3, "oedema dominant", ("-0.83", "-0.91", "-0.75"), "0.11"),
    (3, "distinct margin", ("2.96", "2.86", "3.06"), "<0.001"),
)
"""Model, term, coefficient with limits, P."""


@dataclass(frozen=True)
class Performance:
    """One reader and model of Table 3."""

    name: str
    model: int
    auc: str
    low: str
    high: str
    sensitivity: str
    specificity: str
    n_positive: int = 11
    n_negative: int = 33

    @property
    def figures(self) -> tuple[str, ...]:
        """The five printed figures."""
        return self.auc, self.low, self.high, self.sensitivity, self.specificity


VALIDATION_CASES = 44
READER_GROUPS = (
    "validation, reader 1",
    "validation, reader 2",
    "with age, reader 1",
    "with age, reader 2",
)
PERFORMANCE = (
    Performance("training", 1, "0.864", "0.789", "0.920", "57.9%", "95.0%", 38, 80),
    Performance("training", 2, "0.958", "0.904", "0.986", "84.2%", "92.5%", 38, 80),
    Performance("training", 3, "0.899", "0.841", "0.942", "72.37%", "91.25%", 76, 80),
    Performance("validation, reader 1", 1, "0.713", "0.535", "0.892", "36.4%", "100%"),
    Performance("validation, reader 1", 2, "0.747", "0.517", "0.978", "63.6%", "100%"),
    Performance("validation, reader 1", 3, "0.747", "0.517", "0.978", "63.6%", "100%"),
    Performance("validation, reader 2", 1, "0.773", "0.565", "0.981", "62.7%", "63.6%"),
    Performance("validation, reader 2", 2, "0.773", "0.565", "0.981", "62.7%", "63.6%"),
    Performance("validation, reader 2", 3, "0.821", "0.653", "0.989", "63.6%", "93.9%"),
    Performance("with age, reader 1", 1, "0.871", "0.722", "1.00", "63.6%", "100%"),
    Performance("with age, reader 1", 2, "0.826", "0.662", "0.991", "63.6%", "100%"),
    Performance("with age, reader 1", 3, "0.826", "0.662", "0.991", "63.6%", "100%"),
    Performance("with age, reader 2", 1, "0.855", "0.710", "1.00", "78.8%", "81.8%"),
    Performance("with age, reader 2", 2, "0.861", "0.720", "1.00", "69.7%", "90.9%"),
    Performance("with age, reader 2", 3, "0.861", "0.720", "1.00", "69.7%", "90.9%"),
)
TURING = ((1, "55%", 22, 23), (2, "62%", 20, 18))
"""Reader, rate, real images called synthetic, synthetic images called real."""
ACCURACIES = (
    (1, 3, "90.9%", 40),
    (2, 3, "93.2%", 41),
    (1, 1, "84.1%", 37),
    (2, 1, "86.4%", 38),
)
"""Reader, model, accuracy, right of 44."""
KAPPAS = (
    ("location", "0.67", "moderate", "substantial"),
    ("enhancement", "0.67", "moderate", "substantial"),
    ("necrosis", "0.65", "moderate", "substantial"),
    ("margin", "0.56", "moderate", "moderate"),
)
"""Feature, kappa, word in the text, word of the paper's own scale."""
