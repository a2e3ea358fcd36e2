# Does the main tables again from the CSV files of this archive alone, and compares every number
# with tables/numbers.csv. Base R, and for survival its recommended package survival.
#
#   Rscript analysis.R [FOLDER OF THE ARCHIVE] [TOLERANCE]
#
# Writes redone_by_R.csv beside the data. Ends with status 1 if a number differs by more than the
# tolerance (1e-8, relative for numbers above 1).

arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments) >= 1) arguments[1] else "."
tolerance <- if (length(arguments) >= 2) as.numeric(arguments[2]) else 1e-8

table_of <- function(name) {
  read.csv(file.path(folder, name), colClasses = "character", check.names = FALSE,
           encoding = "UTF-8", na.strings = character(0))
}
reads <- table_of("reads_long.csv")
items <- table_of("items.csv")
readers <- table_of("readers.csv")
questions <- table_of("questions.csv")
arms <- table_of("arms.csv")
settled <- table_of("settled.csv")
plan <- table_of("plan.csv")
numbers <- table_of(file.path("tables", "numbers.csv"))
reads <- reads[reads[["repeat"]] == "0", ]
reads$level <- sub("\\|.*", "", reads$value)  # of a ranking the one put first

redone <- list()
left <- character(0)

slug <- function(text) gsub("^-|-$", "", gsub("[^a-z0-9]+", "-", tolower(text)))
split_bar <- function(text) if (text == "") character(0) else strsplit(text, "|", fixed = TRUE)[[1]]

# Keep one number: table and row by their words, limits where the same formula gives them.
keep <- function(entry, table, row, column, value, low = NA, high = NA, limits = FALSE) {
  redone[[length(redone) + 1]] <<- data.frame(
    table = slug(paste0(entry$code, "-", table)), row = row, column = column,
    value = as.numeric(value), low = as.numeric(low), high = as.numeric(high), limits = limits)
}
leave <- function(entry, why) left <<- c(left, paste0(entry$title, ": ", why))

# ---- formulas ------------------------------------------------------------------------------------

wilson <- function(p, n, level) {
  z <- qnorm(1 - (1 - level) / 2)
  middle <- (p + z^2 / (2 * n)) / (1 + z^2 / n)
  half <- z / (1 + z^2 / n) * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))
  c(max(0, middle - half), min(1, middle + half))
}

# Share of right answers with the clusters of Rao and Scott 1992.
clustered <- function(success, cluster, level, p0 = 0.5) {
  k <- tapply(success, cluster, sum)
  n <- tapply(success, cluster, length)
  total <- sum(n)
  p <- sum(k) / total
  clusters <- length(n)
  variance <- clusters / (clusters - 1) * sum((k - p * n)^2) / total^2
  effect <- variance / (p * (1 - p) / total)
  limits <- if (is.finite(effect) && effect > 0) wilson(p, total / effect, level) else c(NA, NA)
  z <- (p - p0) / sqrt(variance)
  list(value = p, low = limits[1], high = limits[2], se = sqrt(variance), effect = effect,
       p = 2 * pnorm(-abs(z)), clusters = clusters)
}

# Wilson limits at the effective sample size; where nothing varies, of one read to a cluster.
clustered_limits <- function(success, cluster, level) {
  found <- clustered(success, cluster, level)
  if (is.na(found$low)) wilson(found$value, found$clusters, level) else c(found$low, found$high)
}

# Two groups of clustered reads, clusters in one or in both: score test (Rotnitzky and Jewell
# 1990), limits of the difference from those of the shares (Zou and Donner 2008).
two_shares <- function(success, second, cluster, level) {
  cluster <- factor(cluster)
  part <- function(keep, share) {
    as.vector(tapply((success - share) * keep, cluster, sum)) / sum(keep)
  }
  share <- c(mean(success[!second]), mean(success[second]))
  value <- share[2] - share[1]
  pooled <- mean(success)
  score <- part(second, pooled) - part(!second, pooled)
  tested <- pooled > 0 && pooled < 1 && sum(score^2) > 0
  own <- cbind(part(!second, share[1]), part(second, share[2]))
  r <- if (all(colSums(own^2) > 0)) sum(own[, 1] * own[, 2]) / sqrt(prod(colSums(own^2))) else 0
  one <- clustered_limits(success[!second], cluster[!second, drop = TRUE], level)
  two <- clustered_limits(success[second], cluster[second, drop = TRUE], level)
  below <- (share[2] - two[1])^2 - 2 * r * (share[2] - two[1]) * (one[2] - share[1]) +
    (one[2] - share[1])^2
  above <- (two[2] - share[2])^2 - 2 * r * (two[2] - share[2]) * (share[1] - one[1]) +
    (share[1] - one[1])^2
  k <- nlevels(cluster)
  shown <- function(keep, limits) {  # of a share alone, where no cluster has two reads
    if (anyDuplicated(cluster[keep])) limits else wilson(mean(success[keep]), sum(keep), level)
  }
  list(first = share[1], second = share[2], value = value,
       one = shown(!second, one), two = shown(second, two),
       low = value - sqrt(max(below, 0)), high = value + sqrt(max(above, 0)),
       se = sqrt(sum((own[, 2] - own[, 1])^2) * k / (k - 1)),
       p = if (tested) 2 * pnorm(-abs(value) / sqrt(sum(score^2))) else NA)
}

# Two means of clustered scores, the second less the first: linearised variance, t test.
two_means <- function(number, second, cluster, level) {
  cluster <- factor(cluster)
  mean1 <- mean(number[!second]); mean2 <- mean(number[second])
  each <- ifelse(second, (number - mean2) / sum(second), -(number - mean1) / sum(!second))
  total <- as.vector(tapply(each, cluster, sum))
  k <- length(total)
  se <- sqrt(sum(total^2) * k / (k - 1))
  if (!isTRUE(se > 1e-12)) se <- NA
  half <- if (k > 1) qt(1 - (1 - level) / 2, k - 1) * se else NA
  list(value = mean2 - mean1, low = mean2 - mean1 - half, high = mean2 - mean1 + half,
       p = if (k > 1) 2 * pt(-abs(mean2 - mean1) / se, k - 1) else NA, se = se)
}

# Independence of group and level, reads in clusters: score test (Rotnitzky and Jewell 1990).
clustered_table <- function(second, level, cluster) {
  cluster <- factor(cluster)
  given <- sort(unique(level), method = "radix")
  rows <- lapply(c(FALSE, TRUE), function(g) {
    sapply(given, function(x) as.vector(tapply(second == g & level == x, cluster, sum)))
  })
  rows <- lapply(rows, function(x) matrix(x, nlevels(cluster)))
  total <- colSums(rows[[1]]) + colSums(rows[[2]])
  share <- total / sum(total)
  residual <- lapply(rows, function(x) x - outer(rowSums(x), share))
  weight <- sum(rows[[2]]) / sum(total)
  each <- (residual[[2]] - weight * (residual[[1]] + residual[[2]]))[, -1, drop = FALSE]
  if (!ncol(each) || nlevels(cluster) <= ncol(each)) return(list(statistic = NA, p = NA))
  parts <- svd(crossprod(each))
  df <- sum(parts$d > 1e-9 * max(1, crossprod(each)))
  used <- parts$d > 1e-10 * max(parts$d)
  turned <- crossprod(parts$v[, used, drop = FALSE], colSums(each))
  statistic <- sum(turned^2 / parts$d[used])
  list(statistic = statistic, p = pchisq(statistic, df, lower.tail = FALSE))
}

# Wilcoxon's signed ranks, pairs without a difference left out; exact below 50 without ties.
signed_ranks <- function(change) {
  change <- round(change[abs(change) > 1e-12], 12)
  if (!length(change)) return(NA)
  exact <- length(change) < 50 && !anyDuplicated(abs(change))
  wilcox.test(change, exact = exact, correct = TRUE)$p.value
}
rank_sums <- function(second, first) {
  suppressWarnings(wilcox.test(second, first, exact = FALSE, correct = TRUE)$p.value)
}

# d' and criterion with the log-linear correction of Hautus 1995.
detection <- function(hit, miss, false_alarm, correct, level) {
  if (hit + miss == 0 || false_alarm + correct == 0) {
    return(list(dprime = NA, criterion = NA, low = NA, high = NA))
  }
  h <- (hit + 0.5) / (hit + miss + 1)
  f <- (false_alarm + 0.5) / (false_alarm + correct + 1)
  zh <- qnorm(h); zf <- qnorm(f)
  variance <- h * (1 - h) / ((hit + miss) * dnorm(zh)^2) +
    f * (1 - f) / ((false_alarm + correct) * dnorm(zf)^2)
  half <- qnorm(1 - (1 - level) / 2) * sqrt(variance)
  list(dprime = zh - zf, criterion = -(zh + zf) / 2, low = zh - zf - half, high = zh - zf + half)
}

linear_weights <- function(q) 1 - abs(outer(seq_len(q), seq_len(q), "-")) / (q - 1)

# Cohen's kappa with the standard error of Fleiss, Cohen and Everitt 1969.
cohen <- function(a, b, levels, weights, level) {
  p <- table(factor(a, levels), factor(b, levels)) / length(a)
  row <- rowSums(p); column <- colSums(p)
  observed <- sum(weights * p)
  expected <- sum(weights * outer(row, column))
  kappa <- (observed - expected) / (1 - expected)
  by_row <- as.vector(weights %*% column)
  by_column <- as.vector(t(weights) %*% row)
  inner <- weights * (1 - expected) - outer(by_row, by_column, "+") * (1 - observed)
  spread <- sum(p * inner^2) - (observed * expected - 2 * expected + observed)^2
  se <- sqrt(max(spread, 0) / length(a)) / (1 - expected)^2
  half <- qnorm(1 - (1 - level) / 2) * se
  list(value = kappa, low = max(-1, kappa - half), high = min(1, kappa + half), se = se,
       observed = sum(diag(p)))
}

# Gwet's AC with the linearised variance of Gwet 2014; ratings: cases in rows, NA where not rated.
gwet <- function(ratings, levels, weights, level) {
  q <- length(levels)
  counts <- t(apply(ratings, 1, function(row) table(factor(row, levels))))
  m <- rowSums(counts)
  counts <- counts[m > 0, , drop = FALSE]; m <- m[m > 0]
  share <- counts / m
  use <- colMeans(share)
  twice <- m >= 2
  agree <- rep(0, length(m))
  agree[twice] <- (rowSums(counts * (counts %*% weights))[twice] - m[twice]) /
    (m[twice] * (m[twice] - 1))
  observed <- mean(agree[twice])
  factor <- sum(weights) / (q * (q - 1))
  expected <- factor * sum(use * (1 - use))
  value <- (observed - expected) / (1 - expected)
  n <- length(m)
  each <- (n / sum(twice)) * twice * (agree - expected) / (1 - expected)
  by_case <- factor * as.vector(share %*% (1 - use))
  each <- each - 2 * (1 - value) * (by_case - expected) / (1 - expected)
  se <- sqrt(sum((each - value)^2) / (n * (n - 1)))
  half <- qt(1 - (1 - level) / 2, n - 1) * se
  list(value = value, low = max(-1, value - half), high = min(1, value + half), n = n)
}

fleiss <- function(ratings, levels) {
  counts <- t(apply(ratings, 1, function(row) table(factor(row, levels))))
  m <- ncol(ratings)
  observed <- mean((rowSums(counts^2) - m) / (m * (m - 1)))
  expected <- sum(colMeans(counts / m)^2)
  (observed - expected) / (1 - expected)
}

# Placement values of DeLong, DeLong and Clarke-Pearson 1988.
placements <- function(truth, score) {
  positive <- score[truth == 1]; negative <- score[truth == 0]
  wins <- outer(positive, negative, ">") + 0.5 * outer(positive, negative, "==")
  list(value = mean(wins), events = rowMeans(wins), others = colMeans(wins))
}
delong_covariance <- function(cells) {
  events <- sapply(cells, function(cell) cell$events)
  others <- sapply(cells, function(cell) cell$others)
  cov(events) / nrow(events) + cov(others) / nrow(others)
}
clip <- function(x, low, high) pmin(high, pmax(low, x))

area <- function(truth, score, level) {
  cell <- placements(truth, score)
  variance <- delong_covariance(list(cell))[1, 1]
  half <- if (isTRUE(variance > 0)) qnorm(1 - (1 - level) / 2) * sqrt(variance) else NA
  list(value = cell$value, low = clip(cell$value - half, 0, 1),
       high = clip(cell$value + half, 0, 1))
}

# ---- what an endpoint analyses -------------------------------------------------------------------

levels_of <- function(question) {
  own <- questions[questions$question == question & questions$level != "", ]
  own$level[order(as.numeric(own$place))]
}
kind_of <- function(question) questions$kind[questions$question == question][1]
arms_of <- function(entry) {
  named <- split_bar(entry$arms)
  if (length(named)) named else arms$arm
}
arm_name <- function(code) arms$name[match(code, arms$arm)]
level_of_entry <- function(entry) 1 - as.numeric(entry$alpha)

# Answers to a question in the arms of an entry, joined with what is right.
answers_of <- function(entry) {
  own <- reads[reads$question == entry$question & reads$arm %in% arms_of(entry), ]
  place <- match(own$item, items$item)
  right <- paste0("right_", entry$question)
  own$right <- if (right %in% names(items)) items[[right]][place] else ""
  own$cluster <- switch(entry$unit, subject = own$subject, reader = own$reader,
                        reading = seq_len(nrow(own)), own$item)
  own$silent <- own$not_evaluable == "1"
  own
}
complete_only <- function(own) {
  wanted <- unique(paste(own$reader, own$arm))
  has <- tapply(paste(own$reader, own$arm), own$item, function(x) all(wanted %in% x))
  own[own$item %in% names(has)[has], ]
}

# Patient or case, as scores and tables of answers are clustered.
cluster_of <- function(entry, own) if (entry$unit == "case") own$item else own$subject
is_planned <- function(entry, ...) any(c(...) %in% split_bar(entry$methods))
is_true <- function(text) text %in% c("1", "True")

# What holds after consensus, one row for each item: of a panel, else what all readers agree on.
held_of <- function(entry) {
  own <- settled[settled$question == entry$question, ]
  if (!nrow(own)) {
    given <- reads[reads$question == entry$question, ]
    given$value <- ifelse(given$not_evaluable == "1", "not_evaluable", given$value)
    own <- do.call(rbind, lapply(split(given, paste(given$item, given$arm)), function(one) {
      same <- length(unique(one$value)) == 1
      data.frame(question = entry$question, arm = one$arm[1], item = one$item[1],
                 value = if (same) one$value[1] else "", how = if (same) "agreed" else "not_laid",
                 given = paste(one$value, collapse = "|"))
    }))
  }
  own <- own[own$arm %in% arms_of(entry) & own$item %in% reads$item, ]
  own$level <- ifelse(own$value == "not_evaluable", "", own$value)
  own$subject <- items$subject[match(own$item, items$item)]
  own$class <- items$origin[match(own$item, items$item)]
  own
}

# ---- right calls of real and synthetic -----------------------------------------------------------

turing <- function(entry) {
  own <- answers_of(entry)
  own <- own[own$right != "", ]
  if (entry$missing == "complete") own <- complete_only(own)
  if (entry$not_evaluable == "exclude") own <- own[!own$silent, ]
  if (entry$consensus %in% c("1", "True")) return(leave(entry, "the consensus is not redone"))
  own$given <- ifelse(own$silent, "", own$level)
  choice <- kind_of(entry$question) %in% c("place", "ranking")
  synthetic <- items[items$origin == "synthetic", paste0("right_", entry$question)]
  signal <- if (choice) "1" else synthetic[synthetic != ""][1]
  noise <- setdiff(unique(own$right), signal)[1]
  level <- level_of_entry(entry)
  shown <- arms_of(entry)
  several <- length(shown) > 1
  for (arm in shown) {
    part <- own[own$arm == arm, ]
    for (reader in readers$reader) {
      calls_row(entry, part[part$reader == reader, ], reader, arm, several, signal, noise, choice,
                level)
    }
    if (nrow(readers) > 1) {
      calls_row(entry, part, "All readers", arm, several, signal, noise, choice, level)
    }
  }
  if (!choice) confidence_areas(entry, signal, level)
  found <- clustered(own$given == own$right, own$cluster, level)
  if (length(unique(own$reader)) > 1 && anyDuplicated(own$cluster)) {
    keep(entry, "overall", "These readers", "correct", found$value, found$low, found$high, TRUE)
    keep(entry, "overall", "These readers", "p", found$p)
    keep(entry, "overall", "These readers", "effect", found$effect)
    k <- sum(own$given == own$right); n <- nrow(own)
    limits <- wilson(k / n, n, level)
    row <- "Reads taken as independent"
    keep(entry, "overall", row, "correct", k / n, limits[1], limits[2], TRUE)
    keep(entry, "overall", row, "p", binom.test(k, n, 0.5)$p.value)
  }
}

# Areas under the curve of the confidence, one arm.
confidence_areas <- function(entry, signal, level) {
  bound <- questions$question[questions$bound_to == entry$question & questions$kind == "confidence"]
  if (entry$confidence == "" && length(bound)) entry$confidence <- bound[1]
  if (entry$confidence == "" || length(arms_of(entry)) > 1) return(invisible())
  entry$positive <- signal
  own <- graded(entry)
  for (reader in intersect(readers$reader, own$reader)) {
    part <- own[own$reader == reader, ]
    if (length(unique(part$truth)) < 2 || anyDuplicated(part$cluster)) next
    found <- area(part$truth, part$score, level)
    keep(entry, "confidence-auc", reader, "auc", found$value, found$low, found$high, TRUE)
  }
}

calls_row <- function(entry, part, reader, arm, several, signal, noise, choice, level) {
  if (nrow(part) == 0) return(invisible())
  row <- if (several) paste(reader, arm_name(arm), sep = " | ") else reader
  cell <- function(right, given) sum(part$right == right & part$given == given)
  hit <- cell(signal, signal); miss <- cell(signal, noise)
  alarm <- cell(noise, signal); correct <- cell(noise, noise)
  if (!choice) {
    keep(entry, "readers", row, "real_as_real", correct)
    keep(entry, "readers", row, "real_as_synthetic", alarm)
    keep(entry, "readers", row, "synthetic_as_real", miss)
    keep(entry, "readers", row, "synthetic_as_synthetic", hit)
  }
  success <- part$given == part$right
  repeats <- anyDuplicated(part$cluster) > 0
  if (repeats) {
    found <- clustered(success, part$cluster, level)
    limits <- c(found$low, found$high); p <- found$p
  } else {
    limits <- wilson(mean(success), length(success), level)
    p <- binom.test(sum(success), length(success), 0.5)$p.value
  }
  keep(entry, "readers", row, "correct", mean(success), limits[1], limits[2], TRUE)
  keep(entry, "readers", row, "p", p)
  found <- detection(hit, miss, alarm, correct, level)
  scale <- if (choice) 1 / sqrt(2) else 1
  keep(entry, "readers", row, "dprime", scale * found$dprime, scale * found$low,
       scale * found$high, !repeats)
  keep(entry, "readers", row, "criterion", found$criterion)
}

# ---- agreement between readers -------------------------------------------------------------------

agreement <- function(entry) {
  levels <- levels_of(entry$question)
  if (!length(levels)) return(leave(entry, "answers without levels are not redone"))
  own <- answers_of(entry)
  own <- own[!own$silent & own$level %in% levels, ]
  several <- length(unique(reads$arm)) > 1
  ordered <- kind_of(entry$question) %in% c("ordinal", "confidence")
  weights <- if (ordered) linear_weights(length(levels)) else diag(length(levels))
  for (arm in intersect(arms_of(entry), unique(own$arm))) {
    part <- own[own$arm == arm, ]
    who <- readers$reader[readers$reader %in% part$reader]
    what <- items$item[items$item %in% part$item]
    ratings <- matrix(NA_character_, length(what), length(who), dimnames = list(what, who))
    ratings[cbind(match(part$item, what), match(part$reader, who))] <- part$level
    if (entry$missing == "complete") ratings <- ratings[complete.cases(ratings), , drop = FALSE]
    if (length(who) < 2) { leave(entry, "fewer than two readers answered"); next }
    subjects <- items$subject[match(rownames(ratings), items$item)]
    clustered <- entry$unit == "subject" && anyDuplicated(subjects) > 0
    pairs_of_readers(entry, ratings, levels, weights, arm, clustered)
    all_readers(entry, ratings, levels, weights, if (several) paste(arm_name(arm), "| ") else "")
  }
}

pairs_of_readers <- function(entry, ratings, levels, weights, arm, clustered) {
  level <- level_of_entry(entry)
  table <- paste0("pairs-", arm)
  for (pair in combn(colnames(ratings), 2, simplify = FALSE)) {
    both <- complete.cases(ratings[, pair, drop = FALSE])
    if (!any(both)) next
    a <- ratings[both, pair[1]]; b <- ratings[both, pair[2]]
    row <- paste(pair, collapse = " and ")
    found <- cohen(a, b, levels, weights, level)
    limits <- wilson(mean(a == b), length(a), level)
    keep(entry, table, row, "n", length(a))
    keep(entry, table, row, "same", mean(a == b), limits[1], limits[2], !clustered)
    keep(entry, table, row, "kappa", found$value, found$low, found$high,
         !clustered && isTRUE(found$se > 1e-12))
    ac <- gwet(cbind(a, b), levels, weights, level)
    keep(entry, table, row, "ac", ac$value, ac$low, ac$high, !clustered)
    q <- length(levels)
    keep(entry, table, row, "pabak", (q * found$observed - 1) / (q - 1))
  }
}

all_readers <- function(entry, ratings, levels, weights, arm) {
  named <- split_bar(entry$methods)
  wants <- function(method) !length(named) || method %in% named
  row <- function(words) paste0(arm, words)
  if (wants("percent_agreement")) {
    pairs <- combn(ncol(ratings), 2)
    same <- sapply(seq_len(ncol(pairs)), function(k) {
      ratings[, pairs[1, k]] == ratings[, pairs[2, k]]
    })
    per_case <- rowMeans(matrix(same, nrow(ratings)), na.rm = TRUE)
    value <- mean(per_case[is.finite(per_case)])
    keep(entry, "all-readers", row("Agreeing pairs of readers"), "value", value)
  }
  whole <- ratings[complete.cases(ratings), , drop = FALSE]
  agreement_of_scores(entry, ratings, whole, row)
  if (nrow(whole) == 0) return(leave(entry, "no case was rated by every reader"))
  if (wants("fleiss_kappa")) {
    keep(entry, "all-readers", row("Fleiss\u2019s kappa"), "value", fleiss(whole, levels))
  }
  if (wants("cohen_kappa") || wants("light_kappa")) {
    each <- combn(ncol(whole), 2, function(pair) {
      cohen(whole[, pair[1]], whole[, pair[2]], levels, weights, 0.95)$value
    })
    words <- if (ncol(whole) == 2) "Cohen\u2019s kappa" else "Light\u2019s kappa"
    keep(entry, "all-readers", row(words), "value", mean(each))
  }
  if (wants("gwet_ac")) {
    words <- if (identical(weights, diag(length(levels)))) "Gwet\u2019s AC1" else "Gwet\u2019s AC2"
    found <- gwet(ratings, levels, weights, 0.95)
    keep(entry, "all-readers", row(words), "value", found$value)
  }
}

# Of ordered levels as numbers: within-group agreement (James 1984), intraclass correlation
# (Shrout and Fleiss 1979), Kendall's W.
agreement_of_scores <- function(entry, ratings, whole, row) {
  if (!kind_of(entry$question) %in% c("ordinal", "confidence")) return(invisible())
  scale <- questions[questions$question == entry$question & questions$level != "", ]
  numbers <- function(x) {
    matrix(as.numeric(scale$score[match(x, scale$level)]), nrow(x), ncol(x))
  }
  put <- function(words, value) keep(entry, "all-readers", row(words), "value", value)
  if (is_planned(entry, "rwg")) {
    each <- apply(numbers(ratings), 1, var, na.rm = TRUE)
    each <- pmax(1 - each / ((nrow(scale)^2 - 1) / 12), 0)
    put("Within-group agreement, mean over cases", mean(each[!is.na(each)]))
  }
  if (nrow(whole) < 2) return(invisible())
  x <- numbers(whole)
  n <- nrow(x); k <- ncol(x)
  if (is_planned(entry, "icc")) {
    total <- sum((x - mean(x))^2)
    cases <- k * sum((rowMeans(x) - mean(x))^2)
    raters <- n * sum((colMeans(x) - mean(x))^2)
    error <- (total - cases - raters) / ((n - 1) * (k - 1))
    cases <- cases / (n - 1); raters <- raters / (k - 1)
    random <- entry$readers == "random"
    below <- cases + (k - 1) * error + if (random) k * (raters - error) / n else 0
    put(if (random) "ICC(2,1)" else "ICC(3,1)", if (total > 0) (cases - error) / below else NA)
  }
  if (is_planned(entry, "kendall_w")) {
    ranks <- apply(x, 2, rank)
    ties <- sum(apply(x, 2, function(one) sum(table(one)^3 - table(one))))
    largest <- k^2 * (n^3 - n) - k * ties
    spread <- 12 * sum((rowSums(ranks) - mean(rowSums(ranks)))^2)
    put("Kendall\u2019s W", if (largest > 0) spread / largest else NA)
  }
}

# ---- areas under the ROC curve, in arms and over readers -----------------------------------------

# Scores: a call of the positive level with confidence k of K counts K + k, of the other K + 1 - k.
graded <- function(entry) {
  levels <- levels_of(entry$question)
  if (length(levels) != 2) return(NULL)
  positive <- if (entry$positive != "") entry$positive else levels[2]
  own <- answers_of(entry)
  own <- own[own$right != "", ]
  own$truth <- as.integer(own$right == positive)
  own$call <- as.integer(own$level == positive)
  grades <- 1
  own$score <- as.numeric(own$call)
  if (entry$confidence != "") {
    steps <- levels_of(entry$confidence)
    grades <- length(steps)
    sure <- reads[reads$question == entry$confidence, ]
    key <- function(x) paste(x$reader, x$arm, x$item, x$period, x$position)
    k <- match(sure$value[match(key(own), key(sure))], steps)
    own$score <- ifelse(own$call == 1, grades + k, grades + 1 - k)
  }
  low <- if (entry$confidence != "") 1 else 0
  high <- if (entry$confidence != "") 2 * grades else 1
  if (entry$not_evaluable == "wrong") {
    own$score[own$silent] <- ifelse(own$truth[own$silent] == 1, low, high)
    own$call[own$silent] <- 1 - own$truth[own$silent]
  } else {
    own <- own[!own$silent, ]
  }
  own <- own[!is.na(own$score), ]
  if (entry$missing == "complete") own <- complete_only(own)
  own$share <- (own$score - low) / (high - low)
  own
}

mrmc_difference <- function(entry) {
  own <- graded(entry)
  if (is.null(own)) return(leave(entry, "the question has no two levels"))
  shown <- arms_of(entry)
  if (entry$unit == "subject" && has_repeated_subjects(own)) {
    return(leave(entry, "patients with several cases are not redone"))
  }
  if (length(shown) != 2) return(leave(entry, "more than two arms are not redone"))
  level <- level_of_entry(entry)
  who <- readers$reader[readers$reader %in% own$reader]
  for (reader in who) areas_of_reader(entry, own[own$reader == reader, ], reader, shown, level)
  over_readers(entry, own, who, shown, level)
  reclassified(entry, own, who, shown, level)
}

in_both <- function(part, shown) {
  old <- part[part$arm == shown[1], ]; new <- part[part$arm == shown[2], ]
  both <- intersect(old$item, new$item)
  list(old = old[match(both, old$item), ], new = new[match(both, new$item), ])
}

areas_of_reader <- function(entry, part, reader, shown, level) {
  for (place in 1:2) {
    one <- part[part$arm == shown[place], ]
    if (length(unique(one$truth)) < 2) next
    found <- area(one$truth, one$score, level)
    keep(entry, "areas", reader, c("reference", "arm")[place], found$value, found$low, found$high,
         TRUE)
  }
  pair <- in_both(part, shown)
  if (length(unique(pair$old$truth)) < 2) return(invisible())
  cells <- list(placements(pair$new$truth, pair$new$score),
                placements(pair$old$truth, pair$old$score))
  s <- delong_covariance(cells)
  variance <- s[1, 1] + s[2, 2] - 2 * s[1, 2]
  value <- cells[[1]]$value - cells[[2]]$value
  if (!isTRUE(variance > 1e-20)) return(keep(entry, "areas", reader, "difference", value))
  half <- qnorm(1 - (1 - level) / 2) * sqrt(variance)
  keep(entry, "areas", reader, "difference", value, clip(value - half, -1, 1),
       clip(value + half, -1, 1), TRUE)
  if ("delong_test" %in% split_bar(entry$methods)) {
    keep(entry, "areas", reader, "p", 2 * pnorm(-abs(value) / sqrt(variance)))
  }
}

# Is the mean over readers that of Obuchowski and Rockette, for readers and cases or cases alone?
is_rockette <- function(entry) {
  planned <- intersect(split_bar(entry$methods),
                       c("obuchowski_rockette", "dorfman_berbaum_metz", "u_statistic"))
  known <- !length(planned) || planned[1] == "obuchowski_rockette"
  if (!known) leave(entry, paste("the mean over readers by", planned[1], "is not redone"))
  if (entry$unit == "reader") leave(entry, "the mean over readers with fixed cases is not redone")
  known && entry$unit != "reader"
}
has_repeated_subjects <- function(own) {
  anyDuplicated(unique(own[, c("item", "subject")])$subject) > 0
}

# Mean of the readers of one arm, from its own data.
mean_of_arm <- function(value, s, fixed, level) {
  j <- length(value)
  cov2 <- max((sum(s) - sum(diag(s))) / (j * (j - 1)), 0)
  part <- var(value) / j
  variance <- if (fixed) (mean(diag(s)) + (j - 1) * cov2) / j else part + cov2
  df <- if (fixed) Inf else variance^2 / (part^2 / (j - 1))
  half <- qt(1 - (1 - level) / 2, df) * sqrt(variance)
  clip(mean(value) + c(0, -half, half), 0, 1)
}

# Areas of each arm alone.
areas_alone <- function(entry) {
  own <- graded(entry)
  if (is.null(own)) return(leave(entry, "the question has no two levels"))
  if (entry$unit == "subject" && has_repeated_subjects(own)) {
    return(leave(entry, "patients with several cases are not redone"))
  }
  shown <- arms_of(entry)
  level <- level_of_entry(entry)
  for (arm in shown) {
    table <- if (length(shown) > 1) paste0("areas-", arm) else "areas"
    part <- own[own$arm == arm, ]
    who <- readers$reader[readers$reader %in% part$reader]
    cells <- list()
    for (reader in who) {
      one <- part[part$reader == reader, ]
      one <- one[match(unique(part$item), one$item), ]
      one <- one[!is.na(one$item), ]
      if (length(unique(one$truth)) < 2) next
      found <- area(one$truth, one$score, level)
      keep(entry, table, reader, "cases", nrow(one))
      keep(entry, table, reader, "area", found$value, found$low, found$high, TRUE)
      cells[[reader]] <- placements(one$truth, one$score)
    }
    if (length(who) < 2 || nrow(part) != length(who) * length(unique(part$item))) next
    if (!is_rockette(entry)) next
    value <- sapply(cells, function(cell) cell$value)
    found <- mean_of_arm(value, delong_covariance(cells), entry$readers == "fixed", level)
    keep(entry, table, "Mean", "area", found[1], found[2], found[3], TRUE)
  }
}

# Obuchowski and Rockette 1995 with the degrees of freedom of Hillis 2007.
over_readers <- function(entry, own, who, shown, level) {
  what <- unique(own$item)
  if (nrow(own) != length(what) * length(who) * 2) {
    return(leave(entry, "reads are missing: the mean over readers (U-statistic) is not redone"))
  }
  if (length(who) < 2) return(leave(entry, "one reader: no mean over readers"))
  if (!is_rockette(entry)) return(invisible())
  cells <- list()
  for (arm in shown) for (reader in who) {
    part <- own[own$arm == arm & own$reader == reader, ]
    part <- part[match(what, part$item), ]
    cells[[length(cells) + 1]] <- placements(part$truth, part$score)
  }
  j <- length(who)
  value <- matrix(sapply(cells, function(cell) cell$value), j)  # readers in rows, arms in columns
  s <- delong_covariance(cells)
  arm <- rep(1:2, each = j); reader <- rep(seq_len(j), 2)
  cov2 <- mean(s[outer(arm, arm, "==") & outer(reader, reader, "!=")])
  cov3 <- mean(s[outer(arm, arm, "!=") & outer(reader, reader, "!=")])
  cov1 <- mean(s[outer(arm, arm, "!=") & outer(reader, reader, "==")])
  fixed <- entry$readers == "fixed"
  for (place in 1:2) {
    found <- mean_of_arm(value[, place], s[arm == place, arm == place], fixed, level)
    keep(entry, "areas", "Mean", c("reference", "arm")[place], found[1], found[2], found[3], TRUE)
  }
  change <- value[, 2] - value[, 1]
  square <- sum((change - mean(change))^2) / (2 * (j - 1))
  if (fixed) {
    denominator <- mean(diag(s)) - cov1 + (j - 1) * (cov2 - cov3)
    df <- Inf
  } else {
    denominator <- square + j * max(cov2 - cov3, 0)
    df <- denominator^2 / (square^2 / (j - 1))
  }
  se <- sqrt(2 * denominator / j)
  half <- qt(1 - (1 - level) / 2, df) * se
  keep(entry, "areas", "Mean", "difference", mean(change), clip(mean(change) - half, -1, 1),
       clip(mean(change) + half, -1, 1), TRUE)
  keep(entry, "areas", "Mean", "p", 2 * pt(-abs(mean(change)) / se, df))
}

# Net reclassification (Pencina 2008, 2011) and integrated discrimination (Pencina 2008).
reclassified <- function(entry, own, who, shown, level) {
  named <- split_bar(entry$methods)
  cutoffs <- as.numeric(split_bar(entry$cutoffs))
  for (reader in who) {
    pair <- in_both(own[own$reader == reader, ], shown)
    truth <- pair$old$truth
    if (length(unique(truth)) < 2) next
    change <- pair$new$share - pair$old$share
    if ("nri_continuous" %in% named) {
      moves <- ifelse(abs(change) <= 1e-12, 0, sign(change))
      net_row(entry, "nri-continuous", reader, truth, moves, level)
    }
    if ("nri_categorical" %in% named && length(cutoffs)) {
      moves <- sign(findInterval(pair$new$share, cutoffs) - findInterval(pair$old$share, cutoffs))
      net_row(entry, "nri-categorical", reader, truth, moves, level)
    }
    if ("idi" %in% named) {
      events <- change[truth == 1]; others <- change[truth == 0]
      value <- mean(events) - mean(others)
      se <- sqrt(var(events) / length(events) + var(others) / length(others))
      half <- qnorm(1 - (1 - level) / 2) * se
      keep(entry, "idi", reader, "events", mean(events))
      keep(entry, "idi", reader, "nonevents", -mean(others))
      keep(entry, "idi", reader, "idi", value, value - half, value + half, isTRUE(se > 1e-12))
      if (isTRUE(se > 1e-12)) keep(entry, "idi", reader, "p", 2 * pnorm(-abs(value) / se))
    }
  }
}

net_row <- function(entry, table, reader, truth, moves, level) {
  up <- tapply(moves == 1, truth, sum); down <- tapply(moves == -1, truth, sum)
  n <- tapply(moves, truth, length)
  for (class in c("1", "0")) {
    name <- if (class == "1") "events" else "nonevents"
    keep(entry, table, reader, paste0("up_", name), up[[class]])
    keep(entry, table, reader, paste0("down_", name), down[[class]])
  }
  events <- (up[["1"]] - down[["1"]]) / n[["1"]]
  others <- (down[["0"]] - up[["0"]]) / n[["0"]]
  variance <- sum((up + down - (up - down)^2 / n) / n^2)
  half <- qnorm(1 - (1 - level) / 2) * sqrt(variance)
  keep(entry, table, reader, "events", events)
  keep(entry, table, reader, "nonevents", others)
  keep(entry, table, reader, "nri", events + others, events + others - half,
       events + others + half, isTRUE(variance > 1e-20))
  if (isTRUE(variance > 1e-20)) {
    keep(entry, table, reader, "p", 2 * pnorm(-abs(events + others) / sqrt(variance)))
  }
}

# ---- right answers against the reference standard ------------------------------------------------

# Classes or arms that are compared: name by code; none where there is one only.
groups_of <- function(entry, own) {
  shown <- arms_of(entry)
  if (length(shown) > 1) {
    shown <- shown[shown %in% own$arm]
    return(if (length(shown) > 1) setNames(arm_name(shown), shown) else character(0))
  }
  both <- c(real = "Real", synthetic = "Synthetic")
  if (all(names(both) %in% own$group)) both else character(0)
}

against_reference <- function(entry) {
  if (entry$consensus %in% c("1", "True")) return(leave(entry, "the consensus is not redone"))
  levels <- levels_of(entry$question)
  own <- answers_of(entry)
  own <- own[own$right %in% levels, ]
  if (entry$missing == "complete") own <- complete_only(own)
  if (entry$not_evaluable != "wrong") own <- own[!own$silent, ]
  own$given <- ifelse(own$silent, "", own$level)
  several <- length(arms_of(entry)) > 1
  own$group <- if (several) own$arm else sub("\\|.*", "", items$origin[match(own$item, items$item)])
  groups <- groups_of(entry, own)
  labels <- questions$label[match(paste(entry$question, levels),
                                  paste(questions$question, questions$level))]
  slices <- if (length(groups)) groups else c("." = "")
  for (group in names(slices)) {
    part <- if (group == ".") own else own[own$group == group, ]
    for (k in seq_along(levels)) {
      row <- if (group == ".") labels[k] else paste(slices[[group]], labels[k], sep = " | ")
      for (g in seq_along(levels)) {
        keep(entry, "confusion", row, paste0("given_", g - 1),
             sum(part$right == levels[k] & part$given == levels[g]))
      }
    }
    for (reader in readers$reader[readers$reader %in% part$reader]) {
      row <- if (group == ".") reader else paste(reader, slices[[group]], sep = " | ")
      measures_of_reader(entry, part[part$reader == reader, ], row, levels)
    }
  }
  if (length(groups) == 2) versions_compared(entry, own[own$group %in% names(groups), ], groups)
  if (length(groups) > 2) leave(entry, "comparisons of more than two versions")
}

# Two versions by right answers: over all readers, within each, and as published.
versions_compared <- function(entry, own, groups) {
  level <- level_of_entry(entry)
  success <- own$given == own$right
  second <- own$group == names(groups)[2]
  if (!any(second) || all(second)) return(invisible())
  found <- two_shares(success, second, own$cluster, level)
  view_row(entry, "comparison", "These readers", found)
  if (entry$margin != "") {
    m <- as.numeric(entry$margin)
    below <- if (found$se > 0) pnorm(-(found$value + m) / found$se) else NA
    above <- if (found$se > 0) pnorm((found$value - m) / found$se) else NA
    keep(entry, "comparison", "These readers", "worse", below)
    keep(entry, "comparison", "These readers", "within", max(below, above))
  }
  over <- entry$readers == "random" && is_planned(entry, "obuchowski_rockette", "u_statistic")
  if (over) leave(entry, "the analysis over readers of right answers") else
    view_row(entry, "accuracy", "All readers", found)
  for (reader in readers$reader[readers$reader %in% own$reader]) {
    one <- own$reader == reader
    if (!any(second[one]) || all(second[one])) next
    within <- two_shares(success[one], second[one], own$cluster[one], level)
    if (is_planned(entry, "mcnemar")) within$p <- NULL
    view_row(entry, "accuracy", reader, within, is_planned(entry, "two_proportions"))
  }
  if (is_planned(entry, "mcnemar")) leave(entry, "McNemar's test of one reader")
  if (is_planned(entry, "two_proportions", "non_inferiority")) as_published(entry, success, second)
}

view_row <- function(entry, table, row, found, with_p = TRUE) {
  keep(entry, table, row, "first", found$first, found$one[1], found$one[2], TRUE)
  keep(entry, table, row, "second", found$second, found$two[1], found$two[2], TRUE)
  keep(entry, table, row, "difference", found$value, found$low, found$high, TRUE)
  if (with_p && !is.null(found$p)) keep(entry, table, row, "p", found$p)
}

# Reads as if each were a patient of its own: z test, limits of Newcombe 1998.
as_published <- function(entry, success, second) {
  found <- two_shares(success, second, seq_along(success), level_of_entry(entry))
  n <- c(sum(!second), sum(second))
  limits <- lapply(1:2, function(k) wilson(c(found$first, found$second)[k], n[k],
                                           level_of_entry(entry)))
  found$one <- limits[[1]]; found$two <- limits[[2]]
  found$low <- found$value - sqrt((found$second - found$two[1])^2 + (found$one[2] - found$first)^2)
  found$high <- found$value + sqrt((found$two[2] - found$second)^2 + (found$first - found$one[1])^2)
  pooled <- mean(success)
  z <- abs(found$value) / sqrt(pooled * (1 - pooled) * sum(1 / n))
  found$p <- if (pooled > 0 && pooled < 1) 2 * pnorm(-z) else NA
  view_row(entry, "comparison", "Reads taken as independent", found)
}

measures_of_reader <- function(entry, part, row, levels) {
  table <- "metrics-by-reader"
  level <- level_of_entry(entry)
  alone <- !anyDuplicated(part$cluster)
  share <- function(column, success) {
    if (!length(success)) return(invisible())
    limits <- wilson(mean(success), length(success), level)
    keep(entry, table, row, column, mean(success), limits[1], limits[2], alone)
  }
  keep(entry, table, row, "reads", nrow(part))
  share("accuracy", part$given == part$right)
  if (length(levels) != 2) return(invisible())
  positive <- if (entry$positive %in% levels) entry$positive else levels[2]
  truth <- part$right == positive; call <- part$given == positive
  share("precision", truth[call])
  share("recall", call[truth])
  if (any(part$given == "")) return(invisible())
  share("specificity", !call[!truth])
  tp <- sum(truth & call); fp <- sum(!truth & call); fn <- sum(truth & !call); tn <- sum(!truth & !call)
  keep(entry, table, row, "f1", 2 * tp / (2 * tp + fp + fn))
  edge <- sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
  if (edge > 0) keep(entry, table, row, "mcc", (tp * tn - fp * fn) / edge)
  found <- cohen(part$right, part$given, levels, diag(2), level)
  if (is.finite(found$value)) keep(entry, table, row, "kappa", found$value)
}

# ---- means of scores -----------------------------------------------------------------------------

scores <- function(entry) {
  if (kind_of(entry$question) %in% c("text", "region", "multi", "place", "ranking")) {
    return(leave(entry, "answers that are no scores"))
  }
  scale <- questions[questions$question == entry$question & questions$level != "", ]
  own <- answers_of(entry)
  if (entry$not_evaluable == "wrong" && nrow(scale)) {
    own$level[own$silent] <- levels_of(entry$question)[1]
    own$silent <- FALSE
  }
  own <- own[!own$silent, ]
  if (entry$missing == "complete") own <- complete_only(own)
  worth <- function(level) as.numeric(scale$score[match(level, scale$level)])
  own$number <- if (nrow(scale)) worth(own$level) else as.numeric(own$value)
  own <- own[is.finite(own$number), ]
  own$cluster <- cluster_of(entry, own)
  own$class <- items$origin[match(own$item, items$item)]
  score_rows(entry, own, by_reader = TRUE)
  if (!is_true(entry$consensus)) return(score_differences(entry, own, "", TRUE))
  score_differences(entry, own, "", FALSE)
  if (!nrow(scale)) return(leave(entry, "numbers after consensus"))
  held <- held_of(entry)
  laid <- sapply(strsplit(held$given, "|", fixed = TRUE), function(x) mean(worth(x)))
  held$number <- worth(held$level)
  open <- held$level == "" & held$how == "not_laid"
  held$number[open] <- laid[open]
  held <- held[is.finite(held$number), ]
  held$cluster <- cluster_of(entry, held)
  held$reader <- rep("After consensus", nrow(held))
  score_rows(entry, held, by_reader = FALSE)
  score_differences(entry, held, ", after consensus", TRUE)
}

classes_in <- function(own) {
  if (all(c("real", "synthetic") %in% own$class)) c("real", "synthetic") else "."
}

score_rows <- function(entry, own, by_reader) {
  for (arm in intersect(arms_of(entry), own$arm)) for (class in classes_in(own)) {
    part <- own[own$arm == arm & (class == "." | own$class == class), ]
    who <- if (by_reader) readers$reader[readers$reader %in% part$reader] else "After consensus"
    for (reader in c(who, if (length(who) > 1) "All readers")) {
      one <- if (reader == "All readers") part else part[part$reader == reader, ]
      row <- c(if (nrow(arms) > 1) arm_name(arm), if (class != ".") class, reader)
      score_row(entry, one, paste(row, collapse = " | "))
    }
  }
}

# Synthetic against real in each arm, and each later arm against the first.
score_differences <- function(entry, own, stage, tested) {
  shown <- intersect(arms_of(entry), own$arm)
  if (classes_in(own)[1] != ".") for (arm in shown) {
    where <- if (length(shown) > 1) paste0(", ", arm_name(arm)) else ""
    one <- own[own$arm == arm & own$class %in% c("real", "synthetic"), ]
    score_difference(entry, one, one$class == "synthetic",
                     paste0("synthetic less real", where, stage), tested)
  }
  for (arm in shown[-1]) {
    one <- own[own$arm %in% c(shown[1], arm), ]
    what <- paste0(arm_name(arm), " less ", arm_name(shown[1]), stage)
    score_difference(entry, one, one$arm == arm, what, tested)
  }
}

score_difference <- function(entry, one, second, what, tested) {
  found <- two_means(one$number, second, one$cluster, level_of_entry(entry))
  keep(entry, "differences", what, "first", mean(one$number[!second]))
  keep(entry, "differences", what, "second", mean(one$number[second]))
  keep(entry, "differences", what, "difference", found$value, found$low, found$high,
       !is.na(found$se))
  of_cluster <- function(keep) tapply(one$number[keep], one$cluster[keep], mean)
  first <- of_cluster(!second); later <- of_cluster(second)
  both <- intersect(names(first), names(later))
  keep(entry, "differences", what, "shared", length(both))
  if (!tested) return(invisible())
  if (entry$methods == "" || is_planned(entry, "mann_whitney", "signed_rank")) {
    p <- if (length(both)) signed_ranks(later[both] - first[both]) else rank_sums(later, first)
    keep(entry, "differences", what, "p", p)
  } else if (is_planned(entry, "paired_t", "clustered_mean_difference")) {
    keep(entry, "differences", what, "p", found$p)
  }
}

score_row <- function(entry, one, row) {
  total <- tapply(one$number, one$cluster, sum); n <- tapply(one$number, one$cluster, length)
  middle <- mean(one$number)
  clusters <- length(n)
  se <- if (clusters > 1) {
    sqrt(clusters / (clusters - 1) * sum((total - middle * n)^2)) / sum(n)
  } else NA
  half <- if (clusters > 1) qt(1 - (1 - level_of_entry(entry)) / 2, clusters - 1) * se else NA
  keep(entry, "means", row, "mean", middle, middle - half, middle + half, isTRUE(se > 1e-12))
  keep(entry, "means", row, "median", median(one$number))
  keep(entry, "means", row, "n", nrow(one))
}

# ---- answers to real and to synthetic images ------------------------------------------------------

comparison <- function(entry) {
  levels <- levels_of(entry$question)
  if (!length(levels) || kind_of(entry$question) == "multi") {
    return(leave(entry, "answers that name no single level are not redone"))
  }
  if (entry$covariates != "" || (entry$not_evaluable == "wrong" && !is_true(entry$consensus))) {
    return(leave(entry, "covariates, and a level of its own for not evaluable"))
  }
  if (is_true(entry$consensus)) own <- held_of(entry) else {
    own <- answers_of(entry)
    own <- own[!own$silent, ]
    if (entry$missing == "complete") own <- complete_only(own)
    own$class <- items$origin[match(own$item, items$item)]
  }
  own <- own[own$level %in% levels, ]
  own$cluster <- cluster_of(entry, own)
  labels <- questions$label[match(paste(entry$question, levels),
                                  paste(questions$question, questions$level))]
  classes <- c("real", "synthetic")
  for (arm in intersect(arms_of(entry), own$arm)) {
    part <- own[own$arm == arm & own$class %in% classes, ]
    if (!all(classes %in% part$class)) next
    for (place in 1:2) {
      one <- part[part$class == classes[place], ]
      for (k in seq_along(levels)) {
        hit <- one$level == levels[k]
        limits <- clustered_limits(hit, one$cluster, level_of_entry(entry))
        table <- paste0("counts-", arm)
        keep(entry, table, labels[k], paste0("n_", place - 1), sum(hit))
        keep(entry, table, labels[k], paste0("share_", place - 1), mean(hit), limits[1], limits[2],
             TRUE)
      }
    }
    what <- "synthetic against real"
    for (k in which(levels %in% part$level)) {
      found <- two_shares(part$level == levels[k], part$class == "synthetic", part$cluster,
                          level_of_entry(entry))
      keep(entry, paste0("differences-", arm), paste(what, labels[k], sep = " | "), "difference",
           found$value, found$low, found$high, TRUE)
    }
    tests_of_table(entry, part, arm, levels, paste(what, "| "))
  }
}

tests_of_table <- function(entry, part, arm, levels, what) {
  tables <- c("chi_square", "g_test", "fisher_exact")
  wants <- function(...) entry$methods == "" || is_planned(entry, ...)
  put <- function(name, column, value) {
    keep(entry, paste0("tests-", arm), paste0(what, name), column, value)
  }
  shared <- anyDuplicated(part$cluster) > 0
  if ((shared && wants(tables)) || is_planned(entry, "clustered_chi_square")) {
    found <- clustered_table(part$class == "synthetic", part$level, part$cluster)
    put("Score test", "statistic", found$statistic)
    put("Score test", "p", found$p)
  }
  counts <- table(factor(part$class, c("real", "synthetic")), factor(part$level, levels))
  counts <- counts[, colSums(counts) > 0, drop = FALSE]
  if (ncol(counts) < 2) return(invisible())
  found <- suppressWarnings(chisq.test(counts, correct = FALSE))
  if (wants("chi_square")) {
    put("Pearson\u2019s chi-square", "statistic", found$statistic)
    put("Pearson\u2019s chi-square", "p", found$p.value)
  }
  if (wants("g_test") && !shared) {
    g <- 2 * sum((counts * log(counts / found$expected))[counts > 0])
    put("G test", "statistic", g)
    put("G test", "p", pchisq(g, ncol(counts) - 1, lower.tail = FALSE))
  }
  if (wants("fisher_exact") && !shared && sum(counts) > 500) {
    leave(entry, "Fisher's test of more than 500 answers")
  } else if (wants("fisher_exact") && !shared) {
    put("Fisher\u2019s exact test", "p", fisher.test(counts, workspace = 2e6)$p.value)
  }
  if (wants("cramers_v")) {
    put("Cram\u00e9r\u2019s V", "statistic", sqrt(found$statistic / sum(counts)))
  }
}

# ---- choices between images beside each other ----------------------------------------------------

# Which members of each item count, by item; and in what share of choices by lot.
members_that_count <- function(entry, what) {
  origins <- lapply(items$origin, split_bar); makers <- lapply(items$generator, function(x) {
    strsplit(paste0(x, "|"), "|", fixed = TRUE)[[1]]
  })
  place <- match(what, items$item)
  asked <- questions$truth_source[questions$question == entry$question][1]
  if (asked != "") {
    right <- items[[paste0("right_", entry$question)]][place]
    return(lapply(right, function(x) if (x == "") character(0) else x))
  }
  if (all(c("real", "synthetic") %in% unlist(origins[place]))) {
    return(lapply(origins[place], function(x) {
      if (all(c("real", "synthetic") %in% x)) which(x == "synthetic") - 1 else character(0)
    }))
  }
  named <- unique(unlist(makers[place])); named <- named[named != ""]
  if (length(named) > 1) {
    return(lapply(makers[place], function(x) {
      if (length(unique(x)) > 1) which(x == named[1]) - 1 else character(0)
    }))
  }
  lapply(place, function(x) 0)
}

preference <- function(entry) {
  if (is_true(entry$consensus)) return(leave(entry, "a preference after consensus"))
  own <- answers_of(entry)
  if (entry$not_evaluable == "wrong" && any(own$silent)) {
    return(leave(entry, "choices not evaluable that count as not right"))
  }
  own <- own[order(own$silent), ]
  members <- members_that_count(entry, unique(own$item))
  names(members) <- unique(own$item)
  own <- own[!own$silent & lengths(members[own$item]) > 0, ]
  if (entry$missing == "complete") own <- complete_only(own)
  if (!nrow(own)) return(leave(entry, "no choice can be counted"))
  cases <- lengths(strsplit(items$cases[match(own$item, items$item)], "|", fixed = TRUE))
  chance <- unique(lengths(members[own$item]) / pmax(cases, 2))
  if (length(chance) > 1) return(leave(entry, "sets differ in how many images count"))
  own$value <- ifelse(own$level == "equal", 0.5,
                      as.numeric(mapply(`%in%`, own$level, members[own$item])))
  decided <- own[own$value != 0.5, ]
  if (!nrow(decided)) return(leave(entry, "every answer is equal"))
  for (reader in readers$reader[readers$reader %in% own$reader]) {
    choices_row(entry, own[own$reader == reader, ], reader, chance,
                is_planned(entry, "binomial_against"))
  }
  over <- entry$readers == "random" && is_planned(entry, "obuchowski_rockette", "u_statistic")
  if (over) leave(entry, "the share over readers like these") else
    choices_row(entry, own, "All readers", chance, TRUE)
  units <- c(subject = "patients", reader = "readers")[entry$unit]
  row <- paste0("These readers, other ", if (is.na(units)) "cases" else units)
  share <- share_chosen(entry, decided, chance)
  keep(entry, "views", row, "share", share$value, share$low, share$high, TRUE)
  keep(entry, "views", row, "p", share$p)
  if (!is.na(share$within)) keep(entry, "views", row, "within", share$within)
  if (anyDuplicated(decided$cluster)) {
    n <- nrow(decided); k <- sum(decided$value)
    limits <- wilson(k / n, n, level_of_entry(entry))
    row <- "Choices taken as independent; they are not"
    keep(entry, "views", row, "share", k / n, limits[1], limits[2], TRUE)
    keep(entry, "views", row, "p", binom.test(k, n, chance)$p.value)
  }
}

# One choice to a cluster: exact test; else clusters after Rao and Scott 1992. Two one-sided tests
# of a share within the margin (Schuirmann 1987).
share_chosen <- function(entry, own, chance) {
  level <- level_of_entry(entry)
  n <- nrow(own); k <- sum(own$value)
  m <- suppressWarnings(as.numeric(entry$margin))
  if (!is.na(m) && m >= min(chance, 1 - chance)) m <- NA
  if (!anyDuplicated(own$cluster)) {
    limits <- wilson(k / n, n, level)
    within <- if (is.na(m)) NA else
      max(pbinom(k - 1, n, chance - m, lower.tail = FALSE), pbinom(k, n, chance + m))
    return(list(value = k / n, low = limits[1], high = limits[2], within = within,
                p = binom.test(k, n, chance)$p.value))
  }
  found <- clustered(own$value, own$cluster, level, chance)
  limits <- clustered_limits(own$value, own$cluster, level)
  found$low <- limits[1]; found$high <- limits[2]
  if (!isTRUE(found$se > 1e-12)) found$p <- NA
  found$within <- if (is.na(m) || is.na(found$p)) NA else
    max(pnorm((found$value - chance - m) / found$se), pnorm(-(found$value - chance + m) / found$se))
  found
}

choices_row <- function(entry, own, row, chance, tested) {
  keep(entry, "preference", row, "chosen", sum(own$value == 1))
  keep(entry, "preference", row, "other", sum(own$value == 0))
  keep(entry, "preference", row, "equal", sum(own$value == 0.5))
  decided <- own[own$value != 0.5, ]
  if (!nrow(decided)) return(invisible())
  found <- share_chosen(entry, decided, chance)
  keep(entry, "preference", row, "share", found$value, found$low, found$high, TRUE)
  if (tested) keep(entry, "preference", row, "p", found$p)
}

# ---- time to an event ----------------------------------------------------------------------------

survival_of <- function(entry) {
  if (!requireNamespace("survival", quietly = TRUE)) {
    return(leave(entry, "R has no package survival"))
  }
  if (grepl(",", entry$time)) leave(entry, "the comparison of two sources of the time")
  patients <- followed(trimws(sub(",.*", "", entry$time)), trimws(sub(",.*", "", entry$event)))
  if (is.null(patients)) return(leave(entry, "no patient has a time and whether the event came"))
  if (is_true(entry$consensus)) return(leave(entry, "groups after consensus"))
  wants <- function(method) entry$methods == "" || is_planned(entry, method)
  group <- rep("All patients", nrow(patients))
  if (wants("kaplan_meier")) curve_rows(entry, patients, "", group)
  single <- list()
  for (marker in markers_of(entry)) {
    value <- marker$value[patients$code]
    group <- marker$group[patients$code]
    if (wants("kaplan_meier")) curve_rows(entry, patients, marker$label, group)
    if (wants("logrank")) logrank_row(entry, patients, marker$label, group)
    if (wants("harrell_c")) {
      found <- concordance_row(entry, patients, marker, value)
      if (marker$reader != "" && !is.na(found)) single[[marker$arm]] <- c(single[[marker$arm]],
                                                                         found)
    }
    if (wants("cox")) cox_row(entry, patients, marker$label, value)
  }
  for (arm in names(single)) {
    word <- if (length(single[[arm]]) == 1) "reader" else "readers"
    row <- paste0("Mean of ", length(single[[arm]]), " ", word, ", ", arm_name(arm))
    keep(entry, "concordance", row, "c", mean(single[[arm]]))
    if (arm != names(single)[1]) {
      row <- paste(arm_name(arm), "less", arm_name(names(single)[1]))
      keep(entry, "concordance", row, "c", mean(single[[arm]]) - mean(single[[1]]))
    }
  }
  if (length(single)) leave(entry, "limits and tests of mean concordance, which are drawn")
  if (is_planned(entry, "time_dependent_auc")) leave(entry, "areas under time-dependent curves")
  if (entry$covariates != "") leave(entry, "models with several terms")
}

followed <- function(time, event) {
  own <- items[order(items$item, method = "radix"), ]
  time <- suppressWarnings(as.numeric(own[[paste0("reference_", time)]]))
  event <- tolower(trimws(own[[paste0("reference_", event)]]))
  happened <- c("1", "1.0", "yes", "true", "event", "dead", "died", "progressed")
  censored <- c("0", "0.0", "no", "false", "censored", "alive", "stable")
  if (!length(time) || !length(event)) return(NULL)
  good <- is.finite(time) & time >= 0 & event %in% c(happened, censored)
  found <- data.frame(code = own$subject, time = time, event = as.numeric(event %in% happened))
  found <- found[good, ]
  found <- found[!duplicated(found$code), ]
  if (nrow(found)) found[order(found$code, method = "radix"), ] else NULL
}

# What may predict: a number and a group of each patient, by reader and of all readers.
markers_of <- function(entry) {
  own <- answers_of(entry)
  own <- own[!own$silent, ]
  if (entry$missing == "complete") own <- complete_only(own)
  levels <- levels_of(entry$question)
  ordered <- kind_of(entry$question) %in% c("ordinal", "confidence")
  scale <- questions[questions$question == entry$question & questions$level != "", ]
  own$number <- if (!length(levels)) as.numeric(own$value) else
    if (ordered) as.numeric(scale$score[match(own$level, scale$level)]) else
      if (length(levels) == 2) called(entry, own, levels) else NA_real_
  typical <- function(given) {
    if (ordered) return(levels[sort(match(given, levels))[(length(given) + 1) %/% 2]])
    often <- sort(table(given), decreasing = TRUE)
    if (length(often) > 1 && often[1] == often[2]) "" else names(often)[1]
  }
  halves <- function(value) {
    value <- value[!is.na(value)]
    ifelse(value > median(value), "above the median", "at or below the median")
  }
  labelled <- function(group) {
    named <- scale$label[match(group, scale$level)]
    stats::setNames(named, names(group))[!is.na(named)]
  }
  one <- function(value, group, reader, arm, label) {
    value <- value[!is.na(value)]
    several <- nrow(arms) > 1
    list(value = value, group = if (length(levels)) labelled(group) else halves(value),
         reader = reader, arm = arm, label = if (several) paste0(label, ", ", arm_name(arm)) else
           label)
  }
  vector_of <- function(x) stats::setNames(as.vector(x), names(x))
  made <- list()
  for (arm in intersect(arms_of(entry), own$arm)) {
    part <- own[own$arm == arm, ]
    who <- readers$reader[readers$reader %in% part$reader]
    value <- lapply(who, function(reader) {
      mine <- part[part$reader == reader & !is.na(part$number), ]
      vector_of(tapply(mine$number, mine$subject, mean))
    })
    group <- lapply(who, function(reader) {
      mine <- part[part$reader == reader, ]
      if (length(levels)) vector_of(tapply(mine$level, mine$subject, typical)) else NULL
    })
    for (k in seq_along(who)) {
      made[[length(made) + 1]] <- one(value[[k]], group[[k]], who[k], arm, who[k])
    }
    if (length(who) < 2) next
    all_values <- unlist(value); all_groups <- unlist(group)
    all_groups <- all_groups[all_groups != ""]
    together <- vector_of(tapply(all_values, names(all_values), mean))
    chosen <- if (length(levels)) vector_of(tapply(all_groups, names(all_groups), typical)) else NULL
    made[[length(made) + 1]] <- one(together, chosen, "", arm, "All readers")
  }
  made
}

called <- function(entry, own, levels) {
  positive <- if (entry$positive != "") entry$positive else levels[2]
  call <- as.numeric(own$level == positive)
  if (entry$confidence == "") return(call)
  steps <- levels_of(entry$confidence)
  sure <- reads[reads$question == entry$confidence, ]
  key <- function(x) paste(x$reader, x$arm, x$item, x$period, x$position)
  k <- match(sure$value[match(key(own), key(sure))], steps)
  ifelse(call == 1, length(steps) + k, length(steps) + 1 - k)
}

curve_rows <- function(entry, patients, label, group) {
  horizons <- as.numeric(split_bar(entry$horizons))
  for (name in unique(group[!is.na(group)])) {
    own <- patients[!is.na(group) & group == name, ]
    row <- paste(label, name, sep = " | ")
    fit <- survival::survfit(survival::Surv(time, event) ~ 1, own, conf.type = "log-log",
                             conf.int = level_of_entry(entry))
    middle <- quantile(fit, 0.5)
    keep(entry, "curves", row, "n", nrow(own))
    keep(entry, "curves", row, "events", sum(own$event))
    keep(entry, "curves", row, "median", middle$quantile, middle$lower, middle$upper,
         !is.na(middle$quantile))
    for (time in horizons) {
      at <- if (time > max(own$time)) NULL else summary(fit, times = time)
      if (is.null(at)) next
      column <- paste0("at_", format(time, digits = 6))
      keep(entry, "curves", row, column, at$surv, at$lower, at$upper, at$surv > 0 && at$surv < 1)
    }
  }
}

logrank_row <- function(entry, patients, label, group) {
  own <- patients[!is.na(group), ]
  group <- group[!is.na(group)]
  if (length(unique(group)) < 2) return(invisible())
  found <- survival::survdiff(survival::Surv(own$time, own$event) ~ group)
  df <- sum(found$exp > 0) - 1
  keep(entry, "logrank", label, "chi2", found$chisq)
  keep(entry, "logrank", label, "p", pchisq(found$chisq, df, lower.tail = FALSE))
}

concordance_row <- function(entry, patients, marker, value) {
  known <- !is.na(value)
  if (sum(known) < 2 || length(unique(value[known])) < 2) return(NA)
  own <- patients[known, ]
  found <- survival::concordance(survival::Surv(own$time, own$event) ~ value[known],
                                 reverse = TRUE)
  row <- if (marker$reader == "") paste0(marker$label, ": mean score") else marker$label
  keep(entry, "concordance", row, "c", found$concordance)
  keep(entry, "concordance", row, "n", sum(known))
  found$concordance
}

# Cox regression with Efron's ties, one term; Wald limits and p.
cox_row <- function(entry, patients, label, value) {
  own <- patients[!is.na(value), ]
  value <- value[!is.na(value)]
  if (sum(own$event) < 2 || nrow(own) <= 2 || length(unique(value)) < 2) return(invisible())
  fit <- tryCatch(
    survival::coxph(survival::Surv(own$time, own$event) ~ value, ties = "efron",
                    control = survival::coxph.control(eps = 1e-13, toler.chol = 1e-14,
                                                      iter.max = 60)),
    warning = function(w) NULL)
  if (is.null(fit)) return(leave(entry, paste("Cox regression without convergence,", label)))
  b <- unname(coef(fit)); se <- sqrt(vcov(fit)[1, 1])
  half <- qnorm(1 - (1 - level_of_entry(entry)) / 2) * se
  keep(entry, "cox", label, "ratio", exp(b), exp(b - half), exp(b + half), TRUE)
  keep(entry, "cox", label, "p", 2 * pnorm(-abs(b / se)))
  keep(entry, "cox", label, "n", nrow(own))
  keep(entry, "cox", label, "events", sum(own$event))
}

# ---- logistic models of the truth ----------------------------------------------------------------

regression <- function(entry) {
  if (is_true(entry$consensus)) return(leave(entry, "models of answers after consensus"))
  outcome <- paste0("reference_", entry$event)
  if (!outcome %in% names(items)) return(leave(entry, "the outcome is not known"))
  own <- items[order(items$item, method = "radix"), ]
  own <- own[own[[outcome]] != "" & own$origin %in% c("real", "synthetic"), ]
  own <- own[!duplicated(paste(own$subject, own$origin)), ]
  values <- sort(unique(items[[outcome]][items[[outcome]] != ""]), method = "radix")
  positive <- if (entry$positive %in% values) entry$positive else values[length(values)]
  own$y <- as.numeric(own[[outcome]] == positive)
  cohort <- if ("reference_cohort" %in% names(own)) tolower(trimws(own$reference_cohort)) else ""
  own <- own[!cohort %in% c("validation", "test", "held out", "external"), ]
  real <- own[own$origin == "real", ]; made <- own[own$origin == "synthetic", ]
  sets <- list("real" = real)
  if (nrow(made)) {
    sets[["synthetic"]] <- rbind(real[!real$y %in% made$y, ], made)
    sets[["real and synthetic"]] <- rbind(real, made)
  }
  place <- 0
  for (name in names(sets)) {
    done <- model_rows(entry, name, sets[[name]], place)
    if (is.na(done)) return(leave(entry, "models under separation, with Firth's penalty"))
    place <- place + done
  }
  leave(entry, "what models tell of patients that they did not see, and optimism")
}

# Answers of all readers as columns: of numbers the mean, else what most gave, of a tie the first.
features_of <- function(what) {
  asked <- unique(questions[questions$kind %in% c("single", "ordinal", "number") &
                              questions$truth_source != "origin", c("question", "text")])
  first <- reads[!duplicated(paste(reads$reader, reads$item, reads$question)), ]
  first <- first[first$not_evaluable != "1", ]
  columns <- list()
  for (k in seq_len(nrow(asked))) {
    question <- asked$question[k]
    levels <- levels_of(question)
    one <- first[first$question == question, ]
    most <- function(x) {
      if (!length(levels)) return(as.character(mean(as.numeric(x))))
      counts <- table(x)[x]
      x[which.max(counts)]
    }
    given <- tapply(one$value, one$item, most)[what]
    used <- unique(given[!is.na(given)])
    if (length(used) < 2) next
    if (!length(levels)) {
      columns[[asked$text[k]]] <- stats::setNames(data.frame(as.numeric(given)), asked$text[k])
      next
    }
    shown <- levels[levels %in% used][-1]
    labels <- questions$label[match(paste(question, shown),
                                    paste(questions$question, questions$level))]
    columns[[asked$text[k]]] <- stats::setNames(
      as.data.frame(sapply(shown, function(x) as.numeric(given == x))),
      paste0(asked$text[k], ": ", labels))
  }
  columns
}

model_of <- function(y, x) {
  control <- glm.control(epsilon = 1e-14, maxit = 100)
  data <- data.frame(y = y, as.matrix(x), check.names = FALSE)
  fit <- suppressWarnings(glm(y ~ ., binomial, data, control = control))
  if (any(is.na(coef(fit))) || any(abs(coef(fit)) > 12)) NULL else fit
}

# Features with a likelihood-ratio p below 0.05 alone enter, then backward elimination at 0.05.
model_rows <- function(entry, name, patients, place) {
  columns <- features_of(patients$item)
  known <- complete.cases(do.call(cbind, columns))
  y <- patients$y[known]
  if (!length(columns) || min(sum(y), sum(1 - y)) < 10) return(0)
  columns <- lapply(columns, function(x) {
    x <- x[known, , drop = FALSE]
    x[, vapply(x, function(one) length(unique(one)) > 1, logical(1)), drop = FALSE]
  })
  columns <- columns[vapply(columns, ncol, 1L) > 0]
  deviance0 <- glm(y ~ 1, binomial)$deviance
  passed <- character(0)
  for (factor in names(columns)) {
    fit <- model_of(y, columns[[factor]])
    if (is.null(fit)) return(NA)
    odds_rows(entry, fit, names(columns[[factor]]), paste0(c("one_", "p_one_"), place))
    p <- pchisq(deviance0 - fit$deviance, ncol(columns[[factor]]), lower.tail = FALSE)
    if (p < 0.05) passed <- c(passed, factor)
  }
  named <- function(kept) unlist(lapply(columns[kept], names), use.names = FALSE)
  all_of <- function(kept) stats::setNames(do.call(cbind, unname(columns[kept])), named(kept))
  step <- 0
  while (length(passed)) {
    fit <- model_of(y, all_of(passed))
    if (is.null(fit)) return(NA)
    p <- vapply(passed, function(factor) {
      rest <- setdiff(passed, factor)
      less <- if (length(rest)) model_of(y, all_of(rest))$deviance else deviance0
      pchisq(less - fit$deviance, ncol(columns[[factor]]), lower.tail = FALSE)
    }, numeric(1))
    if (max(p) < 0.05) break
    step <- step + 1
    passed <- setdiff(passed, names(which.max(p)))
  }
  keep(entry, "training", name, "n", length(y))
  keep(entry, "training", name, "events", sum(y))
  if (!length(passed)) return(1)
  odds_rows(entry, fit, named(passed), paste0(c("all_", "p_all_"), place))
  r2 <- (1 - exp((fit$deviance - deviance0) / length(y))) / (1 - exp(-deviance0 / length(y)))
  keep(entry, "training", name, "r2", r2)
  keep(entry, "training", name, "apparent", placements(y, round(fit$linear.predictors, 10))$value)
  1
}

# Odds ratios with Wald limits and p.
odds_rows <- function(entry, fit, labels, columns) {
  b <- unname(coef(fit))[-1]
  spread <- sqrt(fit$fitted.values * (1 - fit$fitted.values))  # vcov() has those of a step before
  se <- unname(sqrt(diag(solve(crossprod(model.matrix(fit) * spread)))))[-1]
  half <- qnorm(0.975) * se
  for (k in seq_along(b)) {
    keep(entry, "coefficients", labels[k], columns[1], exp(b[k]), exp(b[k] - half[k]),
         exp(b[k] + half[k]), TRUE)
    keep(entry, "coefficients", labels[k], columns[2], 2 * pnorm(-abs(b[k] / se[k])))
  }
}

# ---- carry out and compare -----------------------------------------------------------------------

endpoints <- list("turing" = turing, "agreement" = agreement, "mrmc-difference" = mrmc_difference,
                  "auc" = areas_alone, "reference" = against_reference, "score" = scores,
                  "comparison" = comparison, "preference" = preference,
                  "survival" = survival_of, "regression" = regression)
for (place in seq_len(nrow(plan))) {
  entry <- as.list(plan[place, ])
  redo <- endpoints[[entry$endpoint]]
  if (is.null(redo)) leave(entry, "this endpoint is not redone by this script") else redo(entry)
}

# A row of ours is a row of the archive when each of our words begins one of its parts.
begins <- function(part, word) {
  part == word || any(startsWith(part, paste0(word, c(", ", ": "))))
}
is_row <- function(label, row) {
  parts <- strsplit(label, " | ", fixed = TRUE)[[1]]
  words <- strsplit(row, " | ", fixed = TRUE)[[1]]
  length(parts) >= length(words) &&
    all(mapply(begins, parts[seq_along(words)], words))
}
differs <- function(a, b) {
  if (is.na(a) && is.na(b)) return(0)
  if (is.na(a) || is.na(b)) return(Inf)
  abs(a - b) / max(1, abs(b))
}

result <- do.call(rbind, redone)
if (is.null(result)) {
  result <- data.frame(table = character(0), row = character(0), column = character(0),
                       value = numeric(0), low = numeric(0), high = numeric(0),
                       limits = logical(0))
}
result$difference <- rep(NA_real_, nrow(result))
for (place in seq_len(nrow(result))) {
  one <- result[place, ]
  near <- numbers[numbers$table == one$table & numbers$column == one$column, ]
  near <- near[vapply(near$label, is_row, logical(1), row = one$row), ]
  same <- near$label == one$row | startsWith(near$label, paste0(one$row, " | "))
  if (any(same)) near <- near[same, ]
  if (nrow(near) != 1) next
  off <- differs(one$value, suppressWarnings(as.numeric(near$value)))
  if (one$limits) {
    off <- max(off, differs(one$low, suppressWarnings(as.numeric(near$low))),
               differs(one$high, suppressWarnings(as.numeric(near$high))))
  }
  result$difference[place] <- off
}
write.csv(result, file.path(folder, "redone_by_R.csv"), row.names = FALSE, na = "")

compared <- result[!is.na(result$difference), ]
wrong <- compared[compared$difference > tolerance, ]
cat(nrow(compared), "numbers were done again and compared;",
    nrow(result) - nrow(compared), "have no number beside them in the archive.\n")
if (nrow(compared)) cat("Largest difference:", format(max(compared$difference)), "\n")
for (why in unique(left)) cat("Not redone:", why, "\n")
if (nrow(wrong)) {
  cat("These differ by more than", tolerance, ":\n")
  print(wrong)
  quit(status = 1)
}
