# %% [markdown]
# # The main tables, done again
#
# This notebook reads the CSV files of the archive it lies in, and nothing else. It needs numpy,
# scipy and pandas. Every number is compared with `tables/numbers.csv`; the last cell says how many
# were compared and the largest difference. Run it from the folder of the archive.

# %%
import re
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats as law

FOLDER = Path(sys.argv[1]) if Path(sys.argv[0]).name == "analysis.py" and sys.argv[1:] else Path()
TOLERANCE = 1e-8


def table_of(name):
    return pd.read_csv(FOLDER / name, dtype=str, keep_default_na=False)


reads = table_of("reads_long.csv")
items = table_of("items.csv").set_index("item", drop=False)
readers = table_of("readers.csv")
questions = table_of("questions.csv")
arms = table_of("arms.csv")
plan = table_of("plan.csv")
numbers = table_of("tables/numbers.csv")
reads = reads[reads["repeat"] == "0"].copy()
reads["level"] = reads["value"].str.split("|", regex=False).str[0]  # of a ranking the first

redone, left = [], []


def slug(text):
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def split_bar(text):
    return text.split("|") if text else []


def keep(entry, table, row, column, value, limits=None):
    """Keep one number; ``limits`` where the same formula gives them."""
    low, high = limits or (np.nan, np.nan)
    name = slug(f"{entry['code']}-{table}")
    redone.append((name, row, column, float(value), float(low), float(high), limits is not None))


def leave(entry, why):
    left.append(f"{entry['title']}: {why}")


# %% [markdown]
# ## Formulas


# %%
def wilson(p, n, level):
    z = law.norm.ppf(1 - (1 - level) / 2)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def two_sided(z):
    return 2 * law.norm.sf(abs(z))


def clustered(success, cluster, level):
    """Share of right answers with the clusters of Rao and Scott 1992."""
    groups = pd.Series(np.asarray(success, dtype=float)).groupby(np.asarray(cluster))
    k, n = groups.sum().to_numpy(), groups.size().to_numpy()
    total, p = n.sum(), k.sum() / n.sum()
    variance = len(n) / (len(n) - 1) * ((k - p * n) ** 2).sum() / total**2
    naive = p * (1 - p) / total
    effect = variance / naive if naive > 0 else np.nan
    limits = wilson(p, total / effect, level) if effect > 0 else (np.nan, np.nan)
    p_value = two_sided((p - 0.5) / np.sqrt(variance)) if variance > 0 else np.nan
    return p, limits, effect, p_value


def detection(hit, miss, alarm, correct, level):
    """d' and criterion with the log-linear correction of Hautus 1995."""
    h, f = (hit + 0.5) / (hit + miss + 1), (alarm + 0.5) / (alarm + correct + 1)
    zh, zf = law.norm.ppf(h), law.norm.ppf(f)
    variance = h * (1 - h) / ((hit + miss) * law.norm.pdf(zh) ** 2)
    variance += f * (1 - f) / ((alarm + correct) * law.norm.pdf(zf) ** 2)
    half = law.norm.ppf(1 - (1 - level) / 2) * np.sqrt(variance)
    return zh - zf, -(zh + zf) / 2, (zh - zf - half, zh - zf + half)


def linear_weights(q):
    steps = np.arange(q)
    return 1 - np.abs(steps[:, None] - steps) / (q - 1)


def cohen(a, b, levels, weights, level):
    """Cohen's kappa with the standard error of Fleiss, Cohen and Everitt 1969."""
    q, n = len(levels), len(a)
    p = np.zeros((q, q))
    for x, y in zip(a, b, strict=True):
        p[levels.index(x), levels.index(y)] += 1 / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    observed, expected = (weights * p).sum(), (weights * np.outer(row, column)).sum()
    kappa = (observed - expected) / (1 - expected)
    by_row, by_column = weights @ column, weights.T @ row
    inner = weights * (1 - expected) - np.add.outer(by_row, by_column) * (1 - observed)
    spread = (p * inner**2).sum() - (observed * expected - 2 * expected + observed) ** 2
    se = np.sqrt(max(spread, 0) / n) / (1 - expected) ** 2
    half = law.norm.ppf(1 - (1 - level) / 2) * se
    limits = (max(-1, kappa - half), min(1, kappa + half)) if se > 1e-12 else None
    return kappa, limits, np.trace(p)


def counts_of(ratings, levels):
    return np.array([[sum(x == level for x in row) for level in levels] for row in ratings], float)


def gwet(ratings, levels, weights, level):
    """Gwet's AC with the linearised variance of Gwet 2014; None where not rated."""
    counts = counts_of(ratings, levels)
    counts = counts[counts.sum(axis=1) > 0]
    m, q, n = counts.sum(axis=1), len(levels), len(counts)
    share = counts / m[:, None]
    use, twice = share.mean(axis=0), m >= 2
    agree = np.zeros(n)
    pairs = (counts * (counts @ weights)).sum(axis=1) - m
    agree[twice] = pairs[twice] / (m * (m - 1))[twice]
    factor = weights.sum() / (q * (q - 1))
    expected = factor * (use * (1 - use)).sum()
    value = (agree[twice].mean() - expected) / (1 - expected)
    each = n / twice.sum() * twice * (agree - expected) / (1 - expected)
    by_case = factor * (share @ (1 - use))
    each = each - 2 * (1 - value) * (by_case - expected) / (1 - expected)
    se = np.sqrt(((each - value) ** 2).sum() / (n * (n - 1))) if n > 1 else np.nan
    half = law.t.ppf(1 - (1 - level) / 2, n - 1) * se
    return value, (max(-1, value - half), min(1, value + half))


def fleiss(ratings, levels):
    counts = counts_of(ratings, levels)
    m = len(ratings[0])
    observed = (((counts**2).sum(axis=1) - m) / (m * (m - 1))).mean()
    expected = ((counts / m).mean(axis=0) ** 2).sum()
    return (observed - expected) / (1 - expected)


def placements(truth, score):
    """Placement values of DeLong, DeLong and Clarke-Pearson 1988."""
    truth, score = np.asarray(truth), np.asarray(score, dtype=float)
    above = score[truth == 1][:, None] - score[truth == 0]
    wins = (above > 0) + 0.5 * (above == 0)
    return wins.mean(), wins.mean(axis=1), wins.mean(axis=0)


def delong_covariance(cells):
    events = np.array([cell[1] for cell in cells])
    others = np.array([cell[2] for cell in cells])
    found = np.cov(events) / events.shape[1] + np.cov(others) / others.shape[1]
    return np.atleast_2d(found)


def wald(value, se, quantile, low, high):
    return float(np.clip(value - quantile * se, low, high)), float(
        np.clip(value + quantile * se, low, high)
    )


def area(truth, score, level):
    cell = placements(truth, score)
    variance = delong_covariance([cell])[0, 0]
    if not variance > 0:
        return cell[0], (np.nan, np.nan)
    return cell[0], wald(cell[0], np.sqrt(variance), law.norm.ppf(1 - (1 - level) / 2), 0, 1)


# %% [markdown]
# ## What an endpoint analyses


# %%
def levels_of(question):
    own = questions[(questions["question"] == question) & (questions["level"] != "")]
    return own.assign(at=own["place"].astype(int)).sort_values("at")["level"].tolist()


def kind_of(question):
    return questions.loc[questions["question"] == question, "kind"].iloc[0]


def arms_of(entry):
    return split_bar(entry["arms"]) or arms["arm"].tolist()


def arm_name(code):
    return dict(zip(arms["arm"], arms["name"], strict=True))[code]


def level_of_entry(entry):
    return 1 - float(entry["alpha"])


def readers_in(own):
    return [code for code in readers["reader"] if code in set(own["reader"])]


def answers_of(entry):
    """Answers to a question in the arms of an entry, joined with what is right."""
    asked = reads["question"] == entry["question"]
    own = reads[asked & reads["arm"].isin(arms_of(entry))].copy()
    right = f"right_{entry['question']}"
    known = items[right].to_dict() if right in items else {}
    own["right"] = own["item"].map(known).fillna("")
    units = {"subject": own["subject"], "reader": own["reader"]}
    alone = pd.Series(range(len(own)), index=own.index).astype(str)
    units["reading"] = alone
    own["cluster"] = units.get(entry["unit"], own["item"])
    own["silent"] = own["not_evaluable"] == "1"
    return own


def complete_only(own):
    wanted = set(zip(own["reader"], own["arm"], strict=True))
    has = {
        item: wanted <= set(zip(part["reader"], part["arm"], strict=True))
        for item, part in own.groupby("item")
    }
    return own[own["item"].map(has)]


# %% [markdown]
# ## Right calls of real and synthetic


# %%
def turing(entry):
    own = answers_of(entry)
    own = own[own["right"] != ""]
    own = complete_only(own) if entry["missing"] == "complete" else own
    own = own[~own["silent"]] if entry["not_evaluable"] == "exclude" else own
    if entry["consensus"] in ("1", "True"):
        return leave(entry, "the consensus is not redone")
    own = own.assign(given=np.where(own["silent"], "", own["level"]))
    choice = kind_of(entry["question"]) in ("place", "ranking")
    right = items.loc[items["origin"] == "synthetic", f"right_{entry['question']}"]
    signal = "1" if choice else next(one for one in right if one)
    noise = next((one for one in own["right"].unique() if one != signal), "")
    level, shown = level_of_entry(entry), arms_of(entry)
    for arm in shown:
        part = own[own["arm"] == arm]
        names = [(code, part[part["reader"] == code]) for code in readers["reader"]]
        names += [("All readers", part)] if len(readers) > 1 else []
        for name, calls in names:
            row = f"{name} | {arm_name(arm)}" if len(shown) > 1 else name
            calls_row(entry, calls, row, signal, noise, choice, level)
    if not choice:
        confidence_areas(entry, signal, level)
    success = own["given"] == own["right"]
    if own["reader"].nunique() > 1 and own["cluster"].duplicated().any():
        p, limits, effect, p_value = clustered(success, own["cluster"], level)
        keep(entry, "overall", "These readers", "correct", p, limits)
        keep(entry, "overall", "These readers", "p", p_value)
        keep(entry, "overall", "These readers", "effect", effect)
        k, n = int(success.sum()), len(own)
        row = "Reads taken as independent"
        keep(entry, "overall", row, "correct", k / n, wilson(k / n, n, level))
        keep(entry, "overall", row, "p", law.binomtest(k, n, 0.5).pvalue)
    return None


def calls_row(entry, part, row, signal, noise, choice, level):
    if part.empty:
        return
    pairs = list(zip(part["right"], part["given"], strict=True))
    hit, miss = pairs.count((signal, signal)), pairs.count((signal, noise))
    alarm, correct = pairs.count((noise, signal)), pairs.count((noise, noise))
    if not choice:
        keep(entry, "readers", row, "real_as_real", correct)
        keep(entry, "readers", row, "real_as_synthetic", alarm)
        keep(entry, "readers", row, "synthetic_as_real", miss)
        keep(entry, "readers", row, "synthetic_as_synthetic", hit)
    success = part["given"] == part["right"]
    repeats = part["cluster"].duplicated().any()
    if repeats:
        p, limits, _, p_value = clustered(success, part["cluster"], level)
    else:
        p, limits = success.mean(), wilson(success.mean(), len(success), level)
        p_value = law.binomtest(int(success.sum()), len(success), 0.5).pvalue
    keep(entry, "readers", row, "correct", p, limits)
    keep(entry, "readers", row, "p", p_value)
    dprime, criterion, limits = detection(hit, miss, alarm, correct, level)
    scale = 1 / np.sqrt(2) if choice else 1.0
    limits = None if repeats else tuple(scale * limit for limit in limits)
    keep(entry, "readers", row, "dprime", scale * dprime, limits)
    keep(entry, "readers", row, "criterion", criterion)


def confidence_areas(entry, signal, level):
    """Areas under the curve of the confidence, one arm."""
    bound = questions[questions["bound_to"] == entry["question"]]
    bound = bound.loc[bound["kind"] == "confidence", "question"]
    name = entry["confidence"] or (bound.iloc[0] if len(bound) else "")
    if not name or len(arms_of(entry)) > 1:
        return
    own = graded({**entry, "confidence": name, "positive": signal})
    for reader in readers_in(own):
        part = own[own["reader"] == reader]
        if part["truth"].nunique() == 2 and not part["cluster"].duplicated().any():
            value, limits = area(part["truth"], part["score"], level)
            keep(entry, "confidence-auc", reader, "auc", value, limits)


# %% [markdown]
# ## Agreement between readers


# %%
def agreement(entry):
    levels = levels_of(entry["question"])
    if not levels:
        return leave(entry, "answers without levels are not redone")
    own = answers_of(entry)
    own = own[~own["silent"] & own["level"].isin(levels)]
    ordered = kind_of(entry["question"]) in ("ordinal", "confidence")
    weights = linear_weights(len(levels)) if ordered else np.eye(len(levels))
    for arm in [one for one in arms_of(entry) if one in set(own["arm"])]:
        part = own[own["arm"] == arm]
        who = readers_in(part)
        what = [code for code in items["item"] if code in set(part["item"])]
        given = {(i, r): x for i, r, x in part[["item", "reader", "level"]].itertuples(index=False)}
        ratings = [[given.get((i, r)) for r in who] for i in what]
        if entry["missing"] == "complete":
            what = [i for i, row in zip(what, ratings, strict=True) if None not in row]
            ratings = [row for row in ratings if None not in row]
        if len(who) < 2:
            leave(entry, "fewer than two readers answered")
            continue
        repeated = items.loc[what, "subject"].duplicated().any()
        pairs_of_readers(
            entry, ratings, who, levels, weights, arm, entry["unit"] == "subject" and repeated
        )
        several = reads["arm"].nunique() > 1
        all_readers(entry, ratings, levels, weights, f"{arm_name(arm)} | " if several else "")
    return None


def pairs_of_readers(entry, ratings, who, levels, weights, arm, is_clustered):
    level, table = level_of_entry(entry), f"pairs-{arm}"
    for i, j in combinations(range(len(who)), 2):
        both = [(row[i], row[j]) for row in ratings if row[i] is not None and row[j] is not None]
        if not both:
            continue
        a, b = zip(*both, strict=True)
        row, n, q = f"{who[i]} and {who[j]}", len(both), len(levels)
        same = sum(x == y for x, y in both) / n
        kappa, limits, observed = cohen(a, b, levels, weights, level)
        keep(entry, table, row, "n", n)
        keep(entry, table, row, "same", same, None if is_clustered else wilson(same, n, level))
        keep(entry, table, row, "kappa", kappa, None if is_clustered else limits)
        value, limits = gwet(both, levels, weights, level)
        keep(entry, table, row, "ac", value, None if is_clustered else limits)
        keep(entry, table, row, "pabak", (q * observed - 1) / (q - 1))


def all_readers(entry, ratings, levels, weights, arm):
    named = split_bar(entry["methods"])

    def wants(*methods):
        return not named or any(method in named for method in methods)

    def put(words, value):
        keep(entry, "all-readers", f"{arm}{words}", "value", value)

    if wants("percent_agreement"):
        known = [[x for x in row if x is not None] for row in ratings]
        each = [[x == y for x, y in combinations(row, 2)] for row in known if len(row) > 1]
        put("Agreeing pairs of readers", np.mean([np.mean(pairs) for pairs in each]))
    whole = [row for row in ratings if None not in row]
    if not whole:
        return leave(entry, "no case was rated by every reader")
    if wants("fleiss_kappa"):
        put("Fleiss’s kappa", fleiss(whole, levels))
    if wants("cohen_kappa", "light_kappa"):
        columns = list(zip(*whole, strict=True))
        each = [cohen(a, b, levels, weights, 0.95)[0] for a, b in combinations(columns, 2)]
        put("Cohen’s kappa" if len(columns) == 2 else "Light’s kappa", np.mean(each))
    if wants("gwet_ac"):
        is_plain = np.array_equal(weights, np.eye(len(levels)))
        put(f"Gwet’s AC{1 if is_plain else 2}", gwet(ratings, levels, weights, 0.95)[0])
    return None


# %% [markdown]
# ## Areas under the ROC curve, in arms and over readers
#
# A call of the positive level with the confidence k of K levels counts K + k, a call of the other
# one K + 1 - k.


# %%
def graded(entry):
    levels = levels_of(entry["question"])
    if len(levels) != 2:
        return None
    positive = entry["positive"] or levels[1]
    own = answers_of(entry)
    own = own[own["right"] != ""].copy()
    own["truth"] = (own["right"] == positive).astype(int)
    own["call"] = (own["level"] == positive).astype(int)
    own["score"], low, high = own["call"].astype(float), 0.0, 1.0
    if entry["confidence"]:
        steps = levels_of(entry["confidence"])
        low, high = 1.0, 2.0 * len(steps)
        key = ["reader", "arm", "item", "period", "position"]
        sure = reads[reads["question"] == entry["confidence"]][[*key, "value"]]
        given = own[key].merge(sure, on=key, how="left")["value"]
        k = given.map({step: n for n, step in enumerate(steps, start=1)}).to_numpy(dtype=float)
        own["score"] = np.where(own["call"] == 1, len(steps) + k, len(steps) + 1 - k)
    if entry["not_evaluable"] == "wrong":
        own.loc[own["silent"], "score"] = np.where(own["truth"] == 1, low, high)[own["silent"]]
    else:
        own = own[~own["silent"]]
    own = own[own["score"].notna()]
    own = complete_only(own) if entry["missing"] == "complete" else own
    return own.assign(share=(own["score"] - low) / (high - low))


def mrmc_difference(entry):
    own, shown = graded(entry), arms_of(entry)
    if own is None:
        return leave(entry, "the question has no two levels")
    if entry["unit"] == "subject" and has_repeated_subjects(own):
        return leave(entry, "patients with several cases are not redone")
    if len(shown) != 2:
        return leave(entry, "more than two arms are not redone")
    level, who = level_of_entry(entry), readers_in(own)
    for reader in who:
        areas_of_reader(entry, own[own["reader"] == reader], reader, shown, level)
        reclassified(entry, own[own["reader"] == reader], reader, shown, level)
    return over_readers(entry, own, who, shown, level)


def in_both(part, shown):
    old, new = (part[part["arm"] == arm].set_index("item") for arm in shown)
    both = [item for item in old.index if item in new.index]
    return old.loc[both], new.loc[both]


def areas_of_reader(entry, part, reader, shown, level):
    for arm, column in zip(shown, ("reference", "arm"), strict=True):
        one = part[part["arm"] == arm]
        if one["truth"].nunique() == 2:
            value, limits = area(one["truth"], one["score"], level)
            keep(entry, "areas", reader, column, value, limits)
    old, new = in_both(part, shown)
    if old["truth"].nunique() < 2:
        return
    cells = [placements(one["truth"], one["score"]) for one in (new, old)]
    s = delong_covariance(cells)
    value, variance = cells[0][0] - cells[1][0], s[0, 0] + s[1, 1] - 2 * s[0, 1]
    if not variance > 1e-20:
        keep(entry, "areas", reader, "difference", value)
        return
    se = np.sqrt(variance)
    limits = wald(value, se, law.norm.ppf(1 - (1 - level) / 2), -1, 1)
    keep(entry, "areas", reader, "difference", value, limits)
    if "delong_test" in split_bar(entry["methods"]):
        keep(entry, "areas", reader, "p", two_sided(value / se))


def is_rockette(entry):
    """Is the mean over readers that of Obuchowski and Rockette, with cases as a sample?"""
    known = ("obuchowski_rockette", "dorfman_berbaum_metz", "u_statistic")
    planned = [name for name in split_bar(entry["methods"]) if name in known]
    is_or = not planned or planned[0] == known[0]
    if not is_or:
        leave(entry, f"the mean over readers by {planned[0]} is not redone")
    if entry["unit"] == "reader":
        leave(entry, "the mean over readers with fixed cases is not redone")
    return is_or and entry["unit"] != "reader"


def has_repeated_subjects(own):
    return own[["item", "subject"]].drop_duplicates()["subject"].duplicated().any()


def mean_of_arm(value, s, fixed, level):
    """Mean of the readers of one arm, from its own data."""
    j = len(value)
    cov2 = max((s.sum() - np.trace(s)) / (j * (j - 1)), 0.0)
    between = value.var(ddof=1) / j
    variance = (np.diag(s).mean() + (j - 1) * cov2) / j if fixed else between + cov2
    df = np.inf if fixed else variance**2 / (between**2 / (j - 1))
    return value.mean(), wald(value.mean(), np.sqrt(variance), quantile(level, df), 0, 1)


def areas_alone(entry):
    """Areas of each arm alone."""
    own = graded(entry)
    if own is None:
        return leave(entry, "the question has no two levels")
    if entry["unit"] == "subject" and has_repeated_subjects(own):
        return leave(entry, "patients with several cases are not redone")
    shown, level = arms_of(entry), level_of_entry(entry)
    for arm in shown:
        table = f"areas-{arm}" if len(shown) > 1 else "areas"
        part = own[own["arm"] == arm]
        who, what, cells = readers_in(part), part["item"].unique(), []
        for reader in who:
            one = part[part["reader"] == reader].set_index("item")
            one = one.loc[[item for item in what if item in one.index]]
            if one["truth"].nunique() < 2:
                continue
            value, limits = area(one["truth"], one["score"], level)
            keep(entry, table, reader, "cases", len(one))
            keep(entry, table, reader, "area", value, limits)
            cells.append(placements(one["truth"], one["score"]))
        if len(who) < 2 or len(part) != len(who) * len(what) or not is_rockette(entry):
            continue
        values = np.array([cell[0] for cell in cells])
        fixed = entry["readers"] == "fixed"
        keep(
            entry,
            table,
            "Mean",
            "area",
            *mean_of_arm(values, delong_covariance(cells), fixed, level),
        )
    return None


def over_readers(entry, own, who, shown, level):
    """Obuchowski and Rockette 1995 with the degrees of freedom of Hillis 2007."""
    what, j = own["item"].unique(), len(who)
    if len(own) != len(what) * j * 2:
        return leave(entry, "reads are missing: the mean over readers (U-statistic) is not redone")
    if j < 2:
        return leave(entry, "one reader: no mean over readers")
    if not is_rockette(entry):
        return None
    parts = own.set_index(["arm", "reader", "item"]).sort_index()
    cells = [
        placements(one["truth"], one["score"])
        for arm in shown
        for one in (parts.loc[(arm, reader)].loc[what] for reader in who)
    ]
    value = np.array([cell[0] for cell in cells]).reshape(2, j)
    s = delong_covariance(cells)
    arm, reader = np.repeat([0, 1], j), np.tile(np.arange(j), 2)
    same_arm, same_reader = arm[:, None] == arm, reader[:, None] == reader
    cov1 = s[~same_arm & same_reader].mean()
    cov2, cov3 = s[same_arm & ~same_reader].mean(), s[~same_arm & ~same_reader].mean()
    fixed = entry["readers"] == "fixed"
    for place, column in enumerate(("reference", "arm")):
        block = s[np.ix_(arm == place, arm == place)]
        keep(entry, "areas", "Mean", column, *mean_of_arm(value[place], block, fixed, level))
    change = value[1] - value[0]
    square = ((change - change.mean()) ** 2).sum() / (2 * (j - 1))
    if fixed:
        denominator, df = np.diag(s).mean() - cov1 + (j - 1) * (cov2 - cov3), np.inf
    else:
        denominator = square + j * max(cov2 - cov3, 0.0)
        df = denominator**2 / (square**2 / (j - 1))
    se = np.sqrt(2 * denominator / j)
    limits = wald(change.mean(), se, quantile(level, df), -1, 1)
    keep(entry, "areas", "Mean", "difference", change.mean(), limits)
    t = abs(change.mean()) / se
    keep(entry, "areas", "Mean", "p", 2 * (law.norm.sf(t) if fixed else law.t.sf(t, df)))
    return None


def quantile(level, df):
    upper = 1 - (1 - level) / 2
    return law.norm.ppf(upper) if np.isinf(df) else law.t.ppf(upper, df)


def reclassified(entry, part, reader, shown, level):
    """Net reclassification (Pencina 2008, 2011) and integrated discrimination (Pencina 2008)."""
    old, new = in_both(part, shown)
    truth, change = old["truth"].to_numpy(), (new["share"] - old["share"]).to_numpy()
    named, cutoffs = split_bar(entry["methods"]), split_bar(entry["cutoffs"])
    if len(set(truth)) < 2:
        return
    if "nri_continuous" in named:
        moves = np.where(np.abs(change) <= 1e-12, 0, np.sign(change))
        net_row(entry, "nri-continuous", reader, truth, moves, level)
    if "nri_categorical" in named and cutoffs:
        cuts = [float(cut) for cut in cutoffs]
        moves = np.sign(np.digitize(new["share"], cuts) - np.digitize(old["share"], cuts))
        net_row(entry, "nri-categorical", reader, truth, moves, level)
    if "idi" in named:
        events, others = change[truth == 1], change[truth == 0]
        value = events.mean() - others.mean()
        se = np.sqrt(events.var(ddof=1) / len(events) + others.var(ddof=1) / len(others))
        half = law.norm.ppf(1 - (1 - level) / 2) * se
        keep(entry, "idi", reader, "events", events.mean())
        keep(entry, "idi", reader, "nonevents", -others.mean())
        keep(entry, "idi", reader, "idi", value, (value - half, value + half) if se > 0 else None)
        if se > 1e-12:
            keep(entry, "idi", reader, "p", two_sided(value / se))


def net_row(entry, table, reader, truth, moves, level):
    net, variance = {}, 0.0
    for group, name in ((1, "events"), (0, "nonevents")):
        own = moves[truth == group]
        up, down, n = int((own == 1).sum()), int((own == -1).sum()), len(own)
        keep(entry, table, reader, f"up_{name}", up)
        keep(entry, table, reader, f"down_{name}", down)
        net[name] = (up - down) / n if group else (down - up) / n
        keep(entry, table, reader, name, net[name])
        variance += (up + down - (up - down) ** 2 / n) / n**2
    value = net["events"] + net["nonevents"]
    if not variance > 1e-20:
        keep(entry, table, reader, "nri", value)
        return
    half = law.norm.ppf(1 - (1 - level) / 2) * np.sqrt(variance)
    keep(entry, table, reader, "nri", value, (value - half, value + half))
    keep(entry, table, reader, "p", two_sided(value / np.sqrt(variance)))


# %% [markdown]
# ## Right answers against the reference standard


# %%
def groups_of(entry, own):
    """Classes or arms that are compared, name by code; none where there is one only."""
    shown = arms_of(entry)
    if len(shown) > 1:
        shown = [arm for arm in shown if arm in set(own["arm"])]
        return {arm: arm_name(arm) for arm in shown} if len(shown) > 1 else {}
    both = {"real": "Real", "synthetic": "Synthetic"}
    return both if set(both) <= set(own["group"]) else {}


def against_reference(entry):
    if entry["consensus"] in ("1", "True"):
        return leave(entry, "the consensus is not redone")
    levels = levels_of(entry["question"])
    own = answers_of(entry)
    own = own[own["right"].isin(levels)]
    own = complete_only(own) if entry["missing"] == "complete" else own
    own = own if entry["not_evaluable"] == "wrong" else own[~own["silent"]]
    origin = own["item"].map(items["origin"]).str.split("|", regex=False).str[0]
    own = own.assign(
        given=np.where(own["silent"], "", own["level"]),
        group=own["arm"] if len(arms_of(entry)) > 1 else origin,
    )
    groups = groups_of(entry, own)
    asked = questions[questions["question"] == entry["question"]]
    labels = dict(zip(asked["level"], asked["label"], strict=True))
    for code, name in (groups or {"": ""}).items():
        part = own[own["group"] == code] if groups else own
        for right in levels:
            row = f"{name} | {labels[right]}" if groups else labels[right]
            for place, given in enumerate(levels):
                n = ((part["right"] == right) & (part["given"] == given)).sum()
                keep(entry, "confusion", row, f"given_{place}", n)
        for reader in readers_in(part):
            row = f"{reader} | {name}" if groups else reader
            measures_of_reader(entry, part[part["reader"] == reader], row, levels)
    if len(groups) == 2:
        for code, column in zip(groups, ("first", "second"), strict=True):
            part = own[own["group"] == code]
            success = part["given"] == part["right"]
            p, limits, _, _ = clustered(success, part["cluster"], level_of_entry(entry))
            limits = limits if part["cluster"].duplicated().any() else None
            keep(entry, "comparison", "These readers", column, p, limits)
    return None


def measures_of_reader(entry, part, row, levels):
    table, level = "metrics-by-reader", level_of_entry(entry)
    alone = not part["cluster"].duplicated().any()

    def share(column, success):
        if len(success):
            p = success.mean()
            keep(entry, table, row, column, p, wilson(p, len(success), level) if alone else None)

    keep(entry, table, row, "reads", len(part))
    share("accuracy", part["given"] == part["right"])
    if len(levels) != 2:
        return
    positive = entry["positive"] if entry["positive"] in levels else levels[1]
    truth, call = part["right"] == positive, part["given"] == positive
    share("precision", truth[call])
    share("recall", call[truth])
    if (part["given"] == "").any():
        return
    share("specificity", ~call[~truth])
    tp, fp = (truth & call).sum(), (~truth & call).sum()
    fn, tn = (truth & ~call).sum(), (~truth & ~call).sum()
    keep(entry, table, row, "f1", 2 * tp / (2 * tp + fp + fn))
    edge = np.sqrt(float((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
    if edge > 0:
        keep(entry, table, row, "mcc", (tp * tn - fp * fn) / edge)
    with np.errstate(invalid="ignore"):
        kappa = cohen(*rated(part), levels, np.eye(2), level)[0]
    if np.isfinite(kappa):
        keep(entry, table, row, "kappa", kappa)


def rated(part):
    return part["right"].tolist(), part["given"].tolist()


# %% [markdown]
# ## Means of scores


# %%
def scores(entry):
    if kind_of(entry["question"]) in ("text", "region", "multi", "place", "ranking"):
        return leave(entry, "answers that are no scores")
    own = answers_of(entry)
    own = own[~own["silent"]]
    own = complete_only(own) if entry["missing"] == "complete" else own
    asked = questions[(questions["question"] == entry["question"]) & (questions["level"] != "")]
    worth = dict(zip(asked["level"], asked["score"].astype(float), strict=True))
    number = own["level"].map(worth) if worth else pd.to_numeric(own["value"])
    cluster = own["item"] if entry["unit"] == "case" else own["subject"]
    own = own.assign(number=number, cluster=cluster, origin=own["item"].map(items["origin"]))
    own = own[own["number"].notna()]
    classes = {"real": "real", "synthetic": "synthetic"}
    classes = classes if set(classes) <= set(own["origin"]) else {"": ""}
    for arm in [one for one in arms_of(entry) if one in set(own["arm"])]:
        for code, name in classes.items():
            part = own[(own["arm"] == arm) & ((own["origin"] == code) | (code == ""))]
            who = readers_in(part)
            rows = [(reader, part[part["reader"] == reader]) for reader in who]
            rows += [("All readers", part)] if len(who) > 1 else []
            for reader, one in rows:
                words = [arm_name(arm) if len(arms) > 1 else "", name, reader]
                score_row(entry, one, " | ".join(word for word in words if word))
    return None


def score_row(entry, one, row):
    groups = one.groupby("cluster")["number"]
    total, n, middle = groups.sum().to_numpy(), groups.size().to_numpy(), one["number"].mean()
    k = len(n)
    if k > 1:
        se = np.sqrt(k / (k - 1) * ((total - middle * n) ** 2).sum()) / n.sum()
        half = quantile(level_of_entry(entry), k - 1) * se
    limits = (middle - half, middle + half) if k > 1 and se > 0 else None
    keep(entry, "means", row, "mean", middle, limits)
    keep(entry, "means", row, "median", one["number"].median())
    keep(entry, "means", row, "n", len(one))


# %% [markdown]
# ## Answers to real and to synthetic images


# %%
def comparison(entry):
    levels = levels_of(entry["question"])
    if not levels or kind_of(entry["question"]) == "multi":
        return leave(entry, "answers that name no single level are not redone")
    if entry["covariates"] or entry["consensus"] == "1" or entry["not_evaluable"] == "wrong":
        return leave(entry, "covariates, consensus and a level of its own for not evaluable")
    own = answers_of(entry)
    own = own[~own["silent"] & own["level"].isin(levels)]
    own = complete_only(own) if entry["missing"] == "complete" else own
    cluster = own["item"] if entry["unit"] == "case" else own["subject"]
    own = own.assign(cluster=cluster, origin=own["item"].map(items["origin"]))
    asked = questions[questions["question"] == entry["question"]]
    labels = dict(zip(asked["level"], asked["label"], strict=True))
    classes = ("real", "synthetic")
    for arm in [one for one in arms_of(entry) if one in set(own["arm"])]:
        part = own[(own["arm"] == arm) & own["origin"].isin(classes)]
        if part["origin"].nunique() < 2:
            continue
        for place, origin in enumerate(classes):
            one = part[part["origin"] == origin]
            for level in levels:
                level_row(entry, arm, place, one, labels[level], one["level"] == level)
        if "chi_square" in split_bar(entry["methods"]) and part["level"].nunique() > 1:
            counts = pd.crosstab(part["origin"], part["level"])
            found = law.chi2_contingency(counts, correction=False)
            row = "synthetic against real | Pearson’s chi-square"
            keep(entry, f"tests-{arm}", row, "statistic", found.statistic)
            keep(entry, f"tests-{arm}", row, "p", found.pvalue)
    return None


def level_row(entry, arm, place, one, label, hit):
    p, level, inside = hit.mean(), level_of_entry(entry), 0 < hit.mean() < 1
    limits = wilson(p, len(hit), level)
    if one["cluster"].duplicated().any() and inside:
        limits = clustered(hit, one["cluster"], level)[1]
    keep(entry, f"counts-{arm}", label, f"n_{place}", hit.sum())
    keep(entry, f"counts-{arm}", label, f"share_{place}", p, limits if inside else None)


# %% [markdown]
# ## Carry out and compare


# %%
ENDPOINTS = {
    "turing": turing,
    "agreement": agreement,
    "mrmc-difference": mrmc_difference,
    "auc": areas_alone,
    "reference": against_reference,
    "score": scores,
    "comparison": comparison,
}
for entry in plan.to_dict("records"):
    if entry["endpoint"] in ENDPOINTS:
        ENDPOINTS[entry["endpoint"]](entry)
    else:
        leave(entry, "this endpoint is not redone by this notebook")


def is_row(label, row):
    """A row of ours is a row of the archive when each of our words begins one of its parts."""
    parts, words = label.split(" | "), row.split(" | ")
    return len(parts) >= len(words) and all(
        part == word or part.startswith((f"{word}, ", f"{word}: "))
        for part, word in zip(parts, words, strict=False)
    )


def differs(ours, theirs):
    theirs = float(theirs) if theirs else np.nan
    if np.isnan(ours) and np.isnan(theirs):
        return 0.0
    off = abs(ours - theirs) / max(1.0, abs(theirs))
    return np.inf if np.isnan(off) else off


COLUMNS = ["table", "row", "column", "value", "low", "high", "limits"]
result = pd.DataFrame(redone, columns=COLUMNS)
differences = []
for one in result.itertuples():
    near = numbers[(numbers["table"] == one.table) & (numbers["column"] == one.column)]
    near = near[[is_row(label, one.row) for label in near["label"]]]
    if len(near) != 1:
        differences.append(np.nan)
        continue
    them = near.iloc[0]
    off = [differs(one.value, them["value"])]
    if one.limits:
        off += [differs(one.low, them["low"]), differs(one.high, them["high"])]
    differences.append(max(off))
result["difference"] = differences
compared = result[result["difference"].notna()]
print(
    f"{len(compared)} numbers were done again and compared; {len(result) - len(compared)} have no "
    "number beside them in the archive."
)
print(f"Largest difference: {compared['difference'].max()}")
for why in dict.fromkeys(left):
    print(f"Not redone: {why}")
wrong = compared[compared["difference"] > TOLERANCE]
if len(wrong):
    raise SystemExit(f"These differ by more than {TOLERANCE}:\n{wrong.to_string()}")
