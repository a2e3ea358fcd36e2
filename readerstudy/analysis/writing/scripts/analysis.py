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
settled = table_of("settled.csv")
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


def clustered(success, cluster, level, p0=0.5):
    """Share of right answers with the clusters of Rao and Scott 1992."""
    groups = pd.Series(np.asarray(success, dtype=float)).groupby(np.asarray(cluster))
    k, n = groups.sum().to_numpy(), groups.size().to_numpy()
    total, p = n.sum(), k.sum() / n.sum()
    variance = len(n) / (len(n) - 1) * ((k - p * n) ** 2).sum() / total**2
    naive = p * (1 - p) / total
    effect = variance / naive if naive > 0 else np.nan
    limits = wilson(p, total / effect, level) if effect > 0 else (np.nan, np.nan)
    p_value = two_sided((p - p0) / np.sqrt(variance)) if variance > 1e-24 else np.nan
    return p, limits, effect, p_value


def clustered_limits(success, cluster, level):
    """Wilson limits at the effective size; where nothing varies, of one read to a cluster."""
    p, limits, _, _ = clustered(success, cluster, level)
    return wilson(p, len(set(cluster)), level) if np.isnan(limits[0]) else limits


def sums_by(cluster, values):
    return pd.Series(np.asarray(values, float)).groupby(np.asarray(cluster)).sum().to_numpy()


def two_shares(success, second, cluster, level):
    """Two groups of clustered reads, clusters in one or in both, the second less the first.

    Score test (Rotnitzky and Jewell 1990), limits from those of the shares (Zou and Donner 2008).
    """
    success, second, cluster = np.asarray(success, float), np.asarray(second), np.asarray(cluster)
    parts = [~second, second]
    p = [success[keep].mean() for keep in parts]
    pooled = success.mean()

    def each(share, keep):
        return sums_by(cluster, (success - share) * keep) / keep.sum()

    score = each(pooled, second) - each(pooled, ~second)
    own = [each(share, keep) for share, keep in zip(p, parts, strict=True)]
    squares = [(one**2).sum() for one in own]
    r = (own[0] * own[1]).sum() / np.sqrt(squares[0] * squares[1]) if all(squares) else 0.0
    (l1, u1), (l2, u2) = (clustered_limits(success[k], cluster[k], level) for k in parts)
    below = (p[1] - l2) ** 2 - 2 * r * (p[1] - l2) * (u1 - p[0]) + (u1 - p[0]) ** 2
    above = (u2 - p[1]) ** 2 - 2 * r * (u2 - p[1]) * (p[0] - l1) + (p[0] - l1) ** 2
    shown = [
        limits
        if pd.Series(cluster[keep]).duplicated().any()
        else wilson(share, int(keep.sum()), level)
        for share, keep, limits in zip(p, parts, [(l1, u1), (l2, u2)], strict=True)
    ]
    value, k, spread = p[1] - p[0], len(score), (score**2).sum()
    tested = 0 < pooled < 1 and spread > 0
    return {
        "shares": p,
        "shown": shown,
        "value": value,
        "limits": (value - np.sqrt(max(below, 0.0)), value + np.sqrt(max(above, 0.0))),
        "se": np.sqrt(((own[1] - own[0]) ** 2).sum() * k / (k - 1)) if k > 1 else np.nan,
        "p": two_sided(value / np.sqrt(spread)) if tested else np.nan,
    }


def two_means(number, second, cluster, level):
    """Two means of clustered scores, the second less the first: linearised variance, t test."""
    number, second = np.asarray(number, float), np.asarray(second)
    means = number[~second].mean(), number[second].mean()
    each = np.where(
        second, (number - means[1]) / second.sum(), -(number - means[0]) / (~second).sum()
    )
    total, value = sums_by(cluster, each), means[1] - means[0]
    k = len(total)
    se = np.sqrt((total**2).sum() * k / (k - 1)) if k > 1 else 0.0
    if not se > 1e-12:
        return value, None, np.nan
    half = quantile(level, k - 1) * se
    return value, (value - half, value + half), 2 * law.t.sf(abs(value) / se, k - 1)


def clustered_table(second, level, cluster):
    """Independence of group and level, reads in clusters: score test (Rotnitzky, Jewell 1990)."""
    second, level = np.asarray(second), np.asarray(level)
    given = sorted(set(level))
    counts = np.array(
        [[sums_by(cluster, (second == g) & (level == x)) for x in given] for g in (False, True)]
    )
    share = counts.sum(axis=(0, 2)) / counts.sum()
    residual = counts - counts.sum(axis=1, keepdims=True) * share[:, None]
    weight = counts[1].sum() / counts.sum()
    each = (residual[1] - weight * residual.sum(axis=0))[1:].T
    if not each.shape[1] or len(each) <= each.shape[1]:
        return np.nan, np.nan
    variance, total = each.T @ each, each.sum(axis=0)
    df = np.linalg.matrix_rank(variance, tol=1e-9 * max(1.0, variance.max()))
    statistic = total @ np.linalg.pinv(variance, rcond=1e-10) @ total
    return statistic, law.chi2.sf(statistic, df)


def signed_ranks(change):
    """Wilcoxon's signed ranks without zeros; exact below 50 pairs without ties."""
    change = np.round(change[np.abs(change) > 1e-12], 12)
    if not len(change):
        return np.nan
    exact = len(change) < 50 and len(set(np.abs(change))) == len(change)
    how = "exact" if exact else "asymptotic"
    return law.wilcoxon(change, method=how, correction=True).pvalue


def rank_sums(second, first):
    with np.errstate(invalid="ignore", divide="ignore"):
        return law.mannwhitneyu(second, first, method="asymptotic").pvalue


def detection(hit, miss, alarm, correct, level):
    """d' and criterion with the log-linear correction of Hautus 1995."""
    if not hit + miss or not alarm + correct:
        return np.nan, np.nan, (np.nan, np.nan)
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


def cluster_of(entry, own):
    return own["item"] if entry["unit"] == "case" else own["subject"]


def is_planned(entry, *methods):
    return any(method in split_bar(entry["methods"]) for method in methods)


def is_true(text):
    return text in ("1", "True")


def held_of(entry):
    """What holds after consensus, a row for each item: of a panel, else what all agree on."""
    own = settled[settled["question"] == entry["question"]]
    if own.empty:
        given = reads[reads["question"] == entry["question"]]
        value = given["value"].where(given["not_evaluable"] != "1", "not_evaluable")
        rows = []
        for (item, arm), one in given.assign(value=value).groupby(["item", "arm"]):
            same = one["value"].nunique() == 1
            how, all_given = "agreed" if same else "not_laid", "|".join(one["value"])
            rows.append((arm, item, one["value"].iloc[0] if same else "", how, all_given))
        own = pd.DataFrame(rows, columns=["arm", "item", "value", "how", "given"])
    own = own[own["arm"].isin(arms_of(entry)) & own["item"].isin(reads["item"])]
    return own.assign(
        level=own["value"].where(own["value"] != "not_evaluable", ""),
        subject=own["item"].map(items["subject"]),
        origin=own["item"].map(items["origin"]),
    )


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
    agreement_of_scores(entry, ratings, whole, put)
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


def agreement_of_scores(entry, ratings, whole, put):
    """Of ordered levels as numbers: rwg (James 1984), ICC (Shrout, Fleiss 1979), Kendall's W."""
    if kind_of(entry["question"]) not in ("ordinal", "confidence"):
        return
    worth = scores_of_levels(entry["question"])
    if is_planned(entry, "rwg"):
        null = (len(worth) ** 2 - 1) / 12
        known = [[worth[x] for x in row if x is not None] for row in ratings]
        each = [max(1 - np.var(row, ddof=1) / null, 0.0) for row in known if len(row) > 1]
        put("Within-group agreement, mean over cases", np.mean(each))
    if len(whole) < 2:
        return
    x = np.array([[worth[level] for level in row] for row in whole])
    n, k = x.shape
    if is_planned(entry, "icc"):
        total = ((x - x.mean()) ** 2).sum()
        cases = k * ((x.mean(axis=1) - x.mean()) ** 2).sum()
        raters = n * ((x.mean(axis=0) - x.mean()) ** 2).sum()
        error = (total - cases - raters) / ((n - 1) * (k - 1))
        cases, raters = cases / (n - 1), raters / (k - 1)
        random = entry["readers"] == "random"
        below = cases + (k - 1) * error + (k * (raters - error) / n if random else 0.0)
        value = (cases - error) / below if total > 0 else np.nan
        put("ICC(2,1)" if random else "ICC(3,1)", value)
    if is_planned(entry, "kendall_w"):
        sums = law.rankdata(x, axis=0).sum(axis=1)
        sizes = [np.unique(one, return_counts=True)[1] for one in x.T]
        largest = k**2 * (n**3 - n) - k * sum((one**3 - one).sum() for one in sizes)
        spread = 12 * ((sums - sums.mean()) ** 2).sum()
        put("Kendall’s W", spread / largest if largest > 0 else np.nan)


def scores_of_levels(question):
    asked = questions[(questions["question"] == question) & (questions["level"] != "")]
    return dict(zip(asked["level"], pd.to_numeric(asked["score"]), strict=True))


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
        versions_compared(entry, own[own["group"].isin(list(groups))], groups)
    if len(groups) > 2:
        leave(entry, "comparisons of more than two versions")
    return None


def versions_compared(entry, own, groups):
    """Two versions by right answers: over all readers, within each, and as published."""
    level = level_of_entry(entry)
    success = (own["given"] == own["right"]).to_numpy()
    second = (own["group"] == list(groups)[1]).to_numpy()
    cluster = own["cluster"].to_numpy()
    if second.all() or not second.any():
        return
    found = two_shares(success, second, cluster, level)
    view_row(entry, "comparison", "These readers", found)
    if entry["margin"]:
        m, value, se = float(entry["margin"]), found["value"], found["se"]
        below, above = (
            law.norm.sf([(value + m) / se, (m - value) / se]) if se > 0 else (np.nan, np.nan)
        )
        keep(entry, "comparison", "These readers", "worse", below)
        keep(entry, "comparison", "These readers", "within", max(below, above))
    if entry["readers"] == "random" and is_planned(entry, "obuchowski_rockette", "u_statistic"):
        leave(entry, "the analysis over readers of right answers")
    else:
        view_row(entry, "accuracy", "All readers", found)
    for reader in readers_in(own):
        one = (own["reader"] == reader).to_numpy()
        if second[one].all() or not second[one].any():
            continue
        within = two_shares(success[one], second[one], cluster[one], level)
        with_p = is_planned(entry, "two_proportions") and not is_planned(entry, "mcnemar")
        view_row(entry, "accuracy", reader, within, with_p)
    if is_planned(entry, "mcnemar"):
        leave(entry, "McNemar's test of one reader")
    if is_planned(entry, "two_proportions", "non_inferiority"):
        as_published(entry, success, second)


def view_row(entry, table, row, found, with_p=True):
    for place, column in enumerate(("first", "second")):
        keep(entry, table, row, column, found["shares"][place], found["shown"][place])
    keep(entry, table, row, "difference", found["value"], found["limits"])
    if with_p:
        keep(entry, table, row, "p", found["p"])


def as_published(entry, success, second):
    """Reads as if each were a patient of its own: z test, limits of Newcombe 1998."""
    found = two_shares(success, second, np.arange(len(success)), level_of_entry(entry))
    (p1, p2), ((l1, u1), (l2, u2)) = found["shares"], found["shown"]
    n, pooled, value = (sum(~second), sum(second)), success.mean(), found["value"]
    spread = pooled * (1 - pooled) * (1 / n[0] + 1 / n[1])
    found["limits"] = (
        value - np.hypot(p2 - l2, u1 - p1),
        value + np.hypot(u2 - p2, p1 - l1),
    )
    found["p"] = two_sided(value / np.sqrt(spread)) if spread > 0 else np.nan
    view_row(entry, "comparison", "Reads taken as independent", found)


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
    worth = scores_of_levels(entry["question"])
    own = answers_of(entry)
    if entry["not_evaluable"] == "wrong" and worth:
        own.loc[own["silent"], "level"] = levels_of(entry["question"])[0]
        own["silent"] = False
    own = own[~own["silent"]]
    own = complete_only(own) if entry["missing"] == "complete" else own
    number = own["level"].map(worth) if worth else pd.to_numeric(own["value"])
    own = own.assign(
        number=number, cluster=cluster_of(entry, own), origin=own["item"].map(items["origin"])
    )
    own = own[own["number"].notna()]
    score_rows(entry, own, readers_in)
    if not is_true(entry["consensus"]):
        return score_differences(entry, own, "", True)
    score_differences(entry, own, "", False)
    if not worth:
        return leave(entry, "numbers after consensus")
    held = held_of(entry)
    laid = [np.mean([worth.get(x, np.nan) for x in given.split("|")]) for given in held["given"]]
    is_open = (held["level"] == "") & (held["how"] == "not_laid")
    held = held.assign(
        number=held["level"].map(worth).where(~is_open, laid),
        cluster=cluster_of(entry, held),
        reader="After consensus",
    )
    held = held[held["number"].notna()]
    score_rows(entry, held, lambda _: ["After consensus"])
    return score_differences(entry, held, ", after consensus", True)


def score_rows(entry, own, readers_of):
    both = {"real", "synthetic"} <= set(own["origin"])
    for arm in [one for one in arms_of(entry) if one in set(own["arm"])]:
        for name in ("real", "synthetic") if both else ("",):
            part = own[(own["arm"] == arm) & ((own["origin"] == name) | (name == ""))]
            who = readers_of(part)
            rows = [(reader, part[part["reader"] == reader]) for reader in who]
            rows += [("All readers", part)] if len(who) > 1 else []
            for reader, one in rows:
                words = [arm_name(arm) if len(arms) > 1 else "", name, reader]
                score_row(entry, one, " | ".join(word for word in words if word))


def score_differences(entry, own, stage, tested):
    """Synthetic against real in each arm, and each later arm against the first."""
    shown = [arm for arm in arms_of(entry) if arm in set(own["arm"])]
    if {"real", "synthetic"} <= set(own["origin"]):
        for arm in shown:
            where = f", {arm_name(arm)}" if len(shown) > 1 else ""
            one = own[(own["arm"] == arm) & own["origin"].isin(["real", "synthetic"])]
            second = (one["origin"] == "synthetic").to_numpy()
            score_difference(entry, one, second, f"synthetic less real{where}{stage}", tested)
    for arm in shown[1:]:
        one = own[own["arm"].isin([shown[0], arm])]
        what = f"{arm_name(arm)} less {arm_name(shown[0])}{stage}"
        score_difference(entry, one, (one["arm"] == arm).to_numpy(), what, tested)


def score_difference(entry, one, second, what, tested):
    number, cluster = one["number"].to_numpy(), one["cluster"].to_numpy()
    value, limits, p = two_means(number, second, cluster, level_of_entry(entry))
    keep(entry, "differences", what, "first", number[~second].mean())
    keep(entry, "differences", what, "second", number[second].mean())
    keep(entry, "differences", what, "difference", value, limits)
    first, later = (one[k].groupby("cluster")["number"].mean() for k in (~second, second))
    both = [code for code in later.index if code in first.index]
    keep(entry, "differences", what, "shared", len(both))
    if not tested:
        return
    if not entry["methods"] or is_planned(entry, "mann_whitney", "signed_rank"):
        paired = (later[both] - first[both]).to_numpy()
        p = signed_ranks(paired) if both else rank_sums(later.to_numpy(), first.to_numpy())
        keep(entry, "differences", what, "p", p)
    elif is_planned(entry, "paired_t", "clustered_mean_difference"):
        keep(entry, "differences", what, "p", p)


def score_row(entry, one, row):
    groups = one.groupby("cluster")["number"]
    total, n, middle = groups.sum().to_numpy(), groups.size().to_numpy(), one["number"].mean()
    k, limits = len(n), None
    if k > 1:
        se = np.sqrt(k / (k - 1) * ((total - middle * n) ** 2).sum()) / n.sum()
        half = quantile(level_of_entry(entry), k - 1) * se
        limits = (middle - half, middle + half) if se > 1e-12 else None
    keep(entry, "means", row, "mean", middle, limits)
    keep(entry, "means", row, "median", one["number"].median())
    keep(entry, "means", row, "n", len(one))


# %% [markdown]
# ## Answers to real and to synthetic images


# %%
def comparison(entry):
    levels, held = levels_of(entry["question"]), is_true(entry["consensus"])
    if not levels or kind_of(entry["question"]) == "multi":
        return leave(entry, "answers that name no single level are not redone")
    if entry["covariates"] or (entry["not_evaluable"] == "wrong" and not held):
        return leave(entry, "covariates, and a level of its own for not evaluable")
    if held:
        own = held_of(entry)
    else:
        own = answers_of(entry)
        own = own[~own["silent"]]
        own = complete_only(own) if entry["missing"] == "complete" else own
        own = own.assign(origin=own["item"].map(items["origin"]))
    own = own[own["level"].isin(levels)]
    own = own.assign(cluster=cluster_of(entry, own))
    asked = questions[questions["question"] == entry["question"]]
    labels = dict(zip(asked["level"], asked["label"], strict=True))
    classes, what = ("real", "synthetic"), "synthetic against real"
    for arm in [one for one in arms_of(entry) if one in set(own["arm"])]:
        part = own[(own["arm"] == arm) & own["origin"].isin(classes)]
        if part["origin"].nunique() < 2:
            continue
        second = (part["origin"] == "synthetic").to_numpy()
        for level in levels:
            hit = (part["level"] == level).to_numpy()
            for place, keep_rows in enumerate((~second, second)):
                level_row(entry, arm, place, part[keep_rows], labels[level], hit[keep_rows])
            if hit.any():
                found = two_shares(hit, second, part["cluster"], level_of_entry(entry))
                row, table = f"{what} | {labels[level]}", f"differences-{arm}"
                keep(entry, table, row, "difference", found["value"], found["limits"])
        tests_of_table(entry, part, second, arm, what)
    return None


def tests_of_table(entry, part, second, arm, what):
    tables = ("chi_square", "g_test", "fisher_exact")

    def wants(*methods):
        return not entry["methods"] or is_planned(entry, *methods)

    def put(name, column, value):
        keep(entry, f"tests-{arm}", f"{what} | {name}", column, value)

    shared = part["cluster"].duplicated().any()
    if (shared and wants(*tables)) or is_planned(entry, "clustered_chi_square"):
        statistic, p = clustered_table(second, part["level"], part["cluster"].to_numpy())
        put("Score test", "statistic", statistic)
        put("Score test", "p", p)
    if part["level"].nunique() < 2:
        return
    counts = pd.crosstab(part["origin"], part["level"]).to_numpy()
    for method, name, power in (
        ("chi_square", "Pearson’s chi-square", "pearson"),
        ("g_test", "G test", "log-likelihood"),
    ):
        if wants(method) and not (shared and method == "g_test"):
            found = law.chi2_contingency(counts, correction=False, lambda_=power)
            put(name, "statistic", found.statistic)
            put(name, "p", found.pvalue)
    exact = wants("fisher_exact") and not shared
    if exact and counts.shape[1] == 2 and counts.sum() <= 500:
        put("Fisher’s exact test", "p", law.fisher_exact(counts).pvalue)
    elif exact:
        leave(entry, "Fisher's test of more than two levels, or of more than 500 answers")
    if wants("cramers_v"):
        chi2 = law.chi2_contingency(counts, correction=False).statistic
        put("Cramér’s V", "statistic", np.sqrt(chi2 / counts.sum()))


def level_row(entry, arm, place, one, label, hit):
    limits = clustered_limits(hit, one["cluster"].to_numpy(), level_of_entry(entry))
    keep(entry, f"counts-{arm}", label, f"n_{place}", hit.sum())
    keep(entry, f"counts-{arm}", label, f"share_{place}", hit.mean(), limits)


# %% [markdown]
# ## Choices between images beside each other


# %%
def members_that_count(entry, what):
    """Which members of each item count for what is asked."""
    origins = {item: items.loc[item, "origin"].split("|") for item in what}
    makers = {item: items.loc[item, "generator"].split("|") for item in what}
    asked = questions.loc[questions["question"] == entry["question"], "truth_source"].iloc[0]
    if asked:
        right = items[f"right_{entry['question']}"]
        return {item: [right[item]] if right[item] else [] for item in what}
    both, named = {"real", "synthetic"}, [name for one in makers.values() for name in one if name]
    names, wanted, kept = makers, "", lambda one: len(set(one)) > 1
    if both <= {one for origin in origins.values() for one in origin}:
        names, wanted, kept = origins, "synthetic", lambda one: both <= set(one)
    elif len(set(named)) > 1:
        wanted = named[0]
    else:
        return {item: ["0"] for item in what}
    return {
        item: [str(n) for n, name in enumerate(one) if name == wanted] if kept(one) else []
        for item, one in names.items()
    }


def preference(entry):
    if is_true(entry["consensus"]):
        return leave(entry, "a preference after consensus")
    own = answers_of(entry).sort_values("silent", kind="stable")
    if entry["not_evaluable"] == "wrong" and own["silent"].any():
        return leave(entry, "choices not evaluable that count as not right")
    members = members_that_count(entry, list(dict.fromkeys(own["item"])))
    own = own[~own["silent"] & own["item"].map(lambda item: bool(members[item]))]
    own = complete_only(own) if entry["missing"] == "complete" else own
    if own.empty:
        return leave(entry, "no choice can be counted")
    chances = {
        len(members[item]) / max(len(items.loc[item, "cases"].split("|")), 2)
        for item in own["item"]
    }
    if len(chances) > 1:
        return leave(entry, "sets differ in how many images count")
    (chance,) = chances
    value = [
        0.5 if level == "equal" else float(level in members[item])
        for item, level in zip(own["item"], own["level"], strict=True)
    ]
    own = own.assign(chosen=value)
    decided = own[own["chosen"] != 0.5]
    if decided.empty:
        return leave(entry, "every answer is equal")
    for reader in readers_in(own):
        part = own[own["reader"] == reader]
        choices_row(entry, part, reader, chance, is_planned(entry, "binomial_against"))
    if entry["readers"] == "random" and is_planned(entry, "obuchowski_rockette", "u_statistic"):
        leave(entry, "the share over readers like these")
    else:
        choices_row(entry, own, "All readers", chance, True)
    units = {"subject": "patients", "reader": "readers"}.get(entry["unit"], "cases")
    share, limits, p, within = share_chosen(entry, decided, chance)
    row = f"These readers, other {units}"
    keep(entry, "views", row, "share", share, limits)
    keep(entry, "views", row, "p", p)
    if not np.isnan(within):
        keep(entry, "views", row, "within", within)
    if decided["cluster"].duplicated().any():
        k, n = int(decided["chosen"].sum()), len(decided)
        row = "Choices taken as independent; they are not"
        keep(entry, "views", row, "share", k / n, wilson(k / n, n, level_of_entry(entry)))
        keep(entry, "views", row, "p", law.binomtest(k, n, chance).pvalue)
    return None


def share_chosen(entry, own, chance):
    """One choice to a cluster: exact; else clusters of Rao and Scott 1992; TOST of the margin."""
    level, n, k = level_of_entry(entry), len(own), int(own["chosen"].sum())
    m = float(entry["margin"] or "nan")
    m = m if m < min(chance, 1 - chance) else np.nan
    if not own["cluster"].duplicated().any():
        within = np.nan
        if not np.isnan(m):
            within = max(law.binom.sf(k - 1, n, chance - m), law.binom.cdf(k, n, chance + m))
        p = law.binomtest(k, n, chance).pvalue
        return k / n, wilson(k / n, n, level), p, within
    p, _, effect, p_value = clustered(own["chosen"], own["cluster"], level, chance)
    limits = clustered_limits(own["chosen"], own["cluster"].to_numpy(), level)
    within = np.nan
    if not np.isnan(m) and not np.isnan(p_value):
        se = np.sqrt(effect * p * (1 - p) / n)
        within = max(law.norm.sf([(p - chance + m) / se, (m - p + chance) / se]))
    return p, limits, p_value, within


def choices_row(entry, own, row, chance, tested):
    for column, value in (("chosen", 1), ("other", 0), ("equal", 0.5)):
        keep(entry, "preference", row, column, (own["chosen"] == value).sum())
    decided = own[own["chosen"] != 0.5]
    if decided.empty:
        return
    share, limits, p, _ = share_chosen(entry, decided, chance)
    keep(entry, "preference", row, "share", share, limits)
    if tested:
        keep(entry, "preference", row, "p", p)


# %% [markdown]
# ## Time to an event


# %%
HAPPENED = ("1", "1.0", "yes", "true", "event", "dead", "died", "progressed")
CENSORED = ("0", "0.0", "no", "false", "censored", "alive", "stable")


def survival(entry):
    if "," in entry["time"]:
        leave(entry, "the comparison of two sources of the time")
    patients = followed(*(entry[name].split(",")[0].strip() for name in ("time", "event")))
    if patients.empty:
        return leave(entry, "no patient has a time and whether the event came")
    if is_true(entry["consensus"]):
        return leave(entry, "groups after consensus")

    def wants(method):
        return not entry["methods"] or is_planned(entry, method)

    if wants("kaplan_meier"):
        curve_rows(entry, patients, "", pd.Series("All patients", index=patients.index))
    single = {}
    for arm, reader, label, *given in markers_of(entry):
        value, group = (one.reindex(patients.index) for one in given)
        if wants("kaplan_meier"):
            curve_rows(entry, patients, label, group)
        if wants("logrank"):
            logrank_row(entry, patients, label, group)
        if wants("harrell_c"):
            c = concordance_row(entry, patients, reader, label, value)
            single.setdefault(arm, []).extend([c] if reader and not np.isnan(c) else [])
        if wants("cox"):
            cox_row(entry, patients, label, value)
    known = {arm: found for arm, found in single.items() if found}
    means = {arm: np.mean(found) for arm, found in known.items()}
    for arm, mean in means.items():
        n = len(known[arm])
        row = f"Mean of {n} {'reader' if n == 1 else 'readers'}, {arm_name(arm)}"
        keep(entry, "concordance", row, "c", mean)
    first = next(iter(means), None)
    for arm in list(means)[1:]:
        row = f"{arm_name(arm)} less {arm_name(first)}"
        keep(entry, "concordance", row, "c", means[arm] - means[first])
    if means:
        leave(entry, "limits and tests of mean concordance, which are drawn")
    if is_planned(entry, "time_dependent_auc"):
        leave(entry, "areas under time-dependent curves")
    if entry["covariates"]:
        leave(entry, "models with several terms")
    return None


def followed(time, event):
    own = items.sort_index()
    blank = pd.Series("", index=own.index)
    found = pd.DataFrame(
        {
            "code": own["subject"],
            "time": pd.to_numeric(own.get(f"reference_{time}", blank), errors="coerce"),
            "word": own.get(f"reference_{event}", blank).str.strip().str.lower(),
        }
    )
    good = np.isfinite(found["time"]) & (found["time"] >= 0)
    found = found[good & found["word"].isin(HAPPENED + CENSORED)].drop_duplicates("code")
    found["event"] = found["word"].isin(HAPPENED)
    return found.set_index("code").sort_index()


def markers_of(entry):
    """What may predict: a number and a group of each patient, by reader and of all readers."""
    own = answers_of(entry)
    own = own[~own["silent"]]
    own = complete_only(own) if entry["missing"] == "complete" else own
    levels, worth = levels_of(entry["question"]), scores_of_levels(entry["question"])
    ordered = kind_of(entry["question"]) in ("ordinal", "confidence")
    asked = questions[questions["question"] == entry["question"]]
    labels = dict(zip(asked["level"], asked["label"], strict=True))
    if not levels:
        number = pd.to_numeric(own["value"])
    elif ordered:
        number = own["level"].map(worth)
    else:
        number = called(entry, own, levels)
    own = own.assign(number=number)

    def typical(given):
        given = list(given)
        if ordered:
            return levels[sorted(map(levels.index, given))[(len(given) - 1) // 2]]
        often = pd.Series(given).value_counts()
        return "" if len(often) > 1 and often.iloc[0] == often.iloc[1] else often.index[0]

    def marker(arm, reader, value, group):
        label = reader or "All readers"
        label = f"{label}, {arm_name(arm)}" if len(arms) > 1 else label
        if not levels:
            high = value > value.median()
            group = high.map({True: "above the median", False: "at or below the median"})
            return arm, reader, label, value, group
        return arm, reader, label, value, group[group != ""].map(labels)

    made = []
    for arm in [one for one in arms_of(entry) if one in set(own["arm"])]:
        parts = {
            reader: own[(own["arm"] == arm) & (own["reader"] == reader)]
            for reader in readers_in(own[own["arm"] == arm])
        }
        values = [
            part[part["number"].notna()].groupby("subject")["number"].mean()
            for part in parts.values()
        ]
        groups = [part.groupby("subject")["level"].agg(typical) for part in parts.values()]
        made += [marker(arm, *one) for one in zip(parts, values, groups, strict=True)]
        if len(parts) > 1:
            together = pd.concat(values).groupby(level=0).mean()
            chosen = pd.concat(groups)
            chosen = chosen[chosen != ""].groupby(level=0).agg(typical) if levels else chosen
            made.append(marker(arm, "", together, chosen))
    return made


def called(entry, own, levels):
    if len(levels) != 2:
        return np.nan
    call = own["level"] == (entry["positive"] or levels[1])
    if not entry["confidence"]:
        return call.astype(float)
    steps = levels_of(entry["confidence"])
    key = ["reader", "arm", "item", "period", "position"]
    sure = reads[reads["question"] == entry["confidence"]][[*key, "value"]]
    given = own[key].merge(sure, on=key, how="left")["value"]
    k = given.map({step: n for n, step in enumerate(steps, start=1)}).to_numpy(dtype=float)
    return np.where(call, len(steps) + k, len(steps) + 1 - k)


def curve_of(time, event):
    """Kaplan-Meier estimate at the event times, and the root of Greenwood's sum."""
    steps = np.unique(time[event])
    risk = np.array([(time >= t).sum() for t in steps])
    died = np.array([(event & (time == t)).sum() for t in steps])
    with np.errstate(divide="ignore"):
        return steps, np.cumprod(1 - died / risk), np.sqrt(np.cumsum(died / (risk * (risk - died))))


def log_log(survived, spread, level):
    z = law.norm.ppf(1 - (1 - level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = z * spread / np.log(survived)
        low, high = survived ** np.exp(-power), survived ** np.exp(power)
    return np.where(survived > 0, low, np.nan), np.where(survived > 0, high, np.nan)


def crossing(steps, curve):
    """First time at or below one half; the middle of the step where the curve lies on it."""
    below = np.flatnonzero(np.nan_to_num(curve, nan=np.inf) <= 0.5 + 1e-9)
    if not below.size:
        return np.nan
    at = below[0]
    on_half = abs(curve[at] - 0.5) <= 1e-9 and at + 1 < len(steps)
    return (steps[at] + steps[at + 1]) / 2 if on_half else steps[at]


def curve_rows(entry, patients, label, group):
    level = level_of_entry(entry)
    for name in group.dropna().unique():
        own = patients[(group == name).to_numpy()]
        time, event, row = own["time"].to_numpy(), own["event"].to_numpy(), f"{label} | {name}"
        keep(entry, "curves", row, "n", len(own))
        keep(entry, "curves", row, "events", event.sum())
        if not event.any():
            continue
        steps, survived, spread = curve_of(time, event)
        low, high = log_log(survived, spread, level)
        median = crossing(steps, survived)
        limits = (crossing(steps, low), crossing(steps, high))
        keep(entry, "curves", row, "median", median, None if np.isnan(median) else limits)
        for horizon in map(float, split_bar(entry["horizons"])):
            at = np.searchsorted(steps, horizon, "right") - 1
            if horizon > time.max():
                continue
            value = survived[at] if at >= 0 else 1.0
            limits = (low[at], high[at]) if 0 < value < 1 else None
            keep(entry, "curves", row, f"at_{horizon:g}", value, limits)


def logrank_row(entry, patients, label, group):
    own = patients[group.notna().to_numpy()]
    named = group[group.notna()].to_numpy()
    names = sorted(set(named))
    if len(names) < 2:
        return
    time, event = own["time"].to_numpy(), own["event"].to_numpy()
    observed = np.array([event[named == name].sum() for name in names], float)
    expected, covariance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for t in np.unique(time[event]):
        risk = np.array([((time >= t) & (named == name)).sum() for name in names])
        n, d = risk.sum(), (event & (time == t)).sum()
        expected += d * risk / n
        if n > 1:
            share = risk / n
            covariance += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    used = np.flatnonzero(expected > 0)[:-1]
    gap = (observed - expected)[used]
    if not len(used):
        return
    chi2 = gap @ np.linalg.solve(covariance[np.ix_(used, used)], gap)
    keep(entry, "logrank", label, "chi2", chi2)
    keep(entry, "logrank", label, "p", law.chi2.sf(chi2, len(used)))


def concordance_row(entry, patients, reader, label, value):
    known = value.notna().to_numpy()
    x = value.to_numpy()[known]
    if known.sum() < 2 or len(set(x)) < 2:
        return np.nan
    time, event = patients["time"].to_numpy()[known], patients["event"].to_numpy()[known]
    later = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    pairs = event[:, None] & later
    c = ((np.sign(x[:, None] - x) + 1) / 2)[pairs].mean() if pairs.any() else np.nan
    row = label if reader else f"{label}: mean score"
    keep(entry, "concordance", row, "c", c)
    keep(entry, "concordance", row, "n", known.sum())
    return c


def cox_row(entry, patients, label, value):
    """Cox regression with Efron's ties, one term, by Newton's steps; Wald limits and p."""
    known = value.notna().to_numpy()
    own, x = patients[known], value.to_numpy()[known]
    time, event = own["time"].to_numpy(), own["event"].to_numpy()
    if event.sum() < 2 or len(own) <= 2 or len(set(x)) < 2:
        return
    b, x = 0.0, x - x.mean()
    for _ in range(60):
        slope, information = efron(b, time, event, x)
        step = slope / information
        b += step
        if abs(step) < 1e-14 * max(1.0, abs(b)):
            break
    if not abs(b * x.std()) < 10:
        leave(entry, f"Cox regression without convergence, {label}")
        return
    se = 1 / np.sqrt(efron(b, time, event, x)[1])
    half = law.norm.ppf(1 - (1 - level_of_entry(entry)) / 2) * se
    keep(entry, "cox", label, "ratio", np.exp(b), (np.exp(b - half), np.exp(b + half)))
    keep(entry, "cox", label, "p", two_sided(b / se))
    keep(entry, "cox", label, "n", len(own))
    keep(entry, "cox", label, "events", event.sum())


def efron(b, time, event, x):
    """Slope and information of the partial likelihood."""
    weight, slope, information = np.exp(b * x), 0.0, 0.0
    for t in np.unique(time[event]):
        risk, died = time >= t, event & (time == t)
        d = died.sum()
        slope += x[died].sum()
        for k in range(d):
            w = weight * (risk - k / d * died)
            mean = (w * x).sum() / w.sum()
            slope -= mean
            information += (w * x**2).sum() / w.sum() - mean**2
    return slope, information


# %% [markdown]
# ## Logistic models of the truth


# %%
def regression(entry):
    outcome, values = f"reference_{entry['event']}", []
    if is_true(entry["consensus"]):
        return leave(entry, "models of answers after consensus")
    if outcome in items:
        values = sorted(set(items[outcome]) - {""})
    if len(values) != 2:
        return leave(entry, "the outcome is not known")
    own = items.sort_index()
    own = own[(own[outcome] != "") & own["origin"].isin(["real", "synthetic"])]
    own = own.drop_duplicates(["subject", "origin"])
    positive = entry["positive"] if entry["positive"] in values else values[-1]
    own = own.assign(y=(own[outcome] == positive).astype(float))
    if "reference_cohort" in own:
        cohort = own["reference_cohort"].str.strip().str.lower()
        own = own[~cohort.isin(["validation", "test", "held out", "external"])]
    real, made = (own[own["origin"] == origin] for origin in ("real", "synthetic"))
    sets = {"real": real}
    if len(made):
        sets["synthetic"] = pd.concat([real[~real["y"].isin(made["y"])], made])
        sets["real and synthetic"] = pd.concat([real, made])
    place = 0
    for name, patients in sets.items():
        done = model_rows(entry, name, patients, place)
        if done is None:
            return leave(entry, "models under separation, with Firth's penalty")
        place += done
    return leave(entry, "what models tell of patients that they did not see, and optimism")


def features_of(what):
    """Answers of all readers as columns: of numbers the mean, else what most gave first."""
    kinds = questions["kind"].isin(["single", "ordinal", "number"])
    asked = questions[kinds & (questions["truth_source"] != "origin")]
    first = reads.drop_duplicates(["reader", "item", "question"])
    first = first[first["not_evaluable"] != "1"]
    columns = {}
    for question, text in asked[["question", "text"]].drop_duplicates().itertuples(index=False):
        levels, own = levels_of(question), questions[questions["question"] == question]
        labels = dict(zip(own["level"], own["label"], strict=True))
        answers = first[first["question"] == question].groupby("item", sort=False)["value"]
        if not levels:
            given = answers.agg(lambda one: pd.to_numeric(one).mean()).reindex(what)
            parts = {text: given}
        else:
            given = answers.agg(lambda one: max(one, key=list(one).count)).reindex(what)
            used = [level for level in levels if (given == level).any()]
            parts = {
                f"{text}: {labels[x]}": (given == x).astype(float).where(given.notna())
                for x in used[1:]
            }
        if given.nunique() > 1:
            columns[text] = pd.DataFrame(parts)
    return columns


def model_of(y, x):
    """Fit by Newton's steps: coefficients, standard errors, deviance; None if separated."""
    x = np.column_stack([np.ones(len(y)), x])
    b = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ b))
        information = x.T @ (x * (p * (1 - p))[:, None])
        if np.abs(b).max() > 12 or np.linalg.matrix_rank(information) < len(b):
            return None
        step = np.linalg.solve(information, x.T @ (y - p))
        b = b + step
        if np.abs(step).max() < 1e-13:
            break
    p = 1 / (1 + np.exp(-x @ b))
    information = x.T @ (x * (p * (1 - p))[:, None])
    deviance = -2 * np.log(np.where(y == 1, p, 1 - p)).sum()
    return b, np.sqrt(np.diag(np.linalg.inv(information))), deviance, x @ b


def model_rows(entry, name, patients, place):
    """Features with a p below 0.05 alone enter, then backward elimination at 0.05."""
    columns = features_of(patients["item"])
    known = np.ones(len(patients), dtype=bool)
    for one in columns.values():
        known &= one.notna().all(axis=1).to_numpy()
    y = patients["y"].to_numpy()[known]
    if not columns or min(y.sum(), (1 - y).sum()) < 10:
        return 0
    columns = {text: one[known].loc[:, one[known].nunique() > 1] for text, one in columns.items()}
    columns = {text: one for text, one in columns.items() if one.shape[1]}
    share = y.mean()
    deviance0 = -2 * (y * np.log(share) + (1 - y) * np.log(1 - share)).sum()
    passed = []
    for text, one in columns.items():
        fit = model_of(y, one.to_numpy())
        if fit is None:
            return None
        odds_rows(entry, fit, one.columns, (f"one_{place}", f"p_one_{place}"))
        passed += [text] if law.chi2.sf(deviance0 - fit[2], one.shape[1]) < 0.05 else []

    def fitted(kept):
        return model_of(y, pd.concat([columns[text] for text in kept], axis=1).to_numpy())

    fit = None
    while passed:
        fit = fitted(passed)
        if fit is None:
            return None
        p = []
        for text in passed:
            rest = [one for one in passed if one != text]
            less = fitted(rest)[2] if rest else deviance0
            p.append(law.chi2.sf(less - fit[2], columns[text].shape[1]))
        if max(p) < 0.05:
            break
        passed.pop(int(np.argmax(p)))
    keep(entry, "training", name, "n", len(y))
    keep(entry, "training", name, "events", y.sum())
    if not passed:
        return 1
    labels = [label for text in passed for label in columns[text].columns]
    odds_rows(entry, fit, labels, (f"all_{place}", f"p_all_{place}"))
    n = len(y)
    r2 = (1 - np.exp((fit[2] - deviance0) / n)) / (1 - np.exp(-deviance0 / n))
    keep(entry, "training", name, "r2", r2)
    keep(entry, "training", name, "apparent", placements(y, np.round(fit[3], 10))[0])
    return 1


def odds_rows(entry, fit, labels, columns):
    """Odds ratios with Wald limits and p."""
    for label, b, se in zip(labels, fit[0][1:], fit[1][1:], strict=True):
        half = law.norm.ppf(0.975) * se
        limits = (np.exp(b - half), np.exp(b + half))
        keep(entry, "coefficients", label, columns[0], np.exp(b), limits)
        keep(entry, "coefficients", label, columns[1], two_sided(b / se))


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
    "preference": preference,
    "survival": survival,
    "regression": regression,
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
    same = (near["label"] == one.row) | near["label"].str.startswith(f"{one.row} | ")
    near = near[same] if same.any() else near
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
