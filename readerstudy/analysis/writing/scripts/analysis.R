# Does the main tables again from the CSV files of this archive alone, and compares every number
# with tables/numbers.csv. Base R; nothing else is needed.
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
clustered <- function(success, cluster, level) {
  k <- tapply(success, cluster, sum)
  n <- tapply(success, cluster, length)
  total <- sum(n)
  p <- sum(k) / total
  clusters <- length(n)
  variance <- clusters / (clusters - 1) * sum((k - p * n)^2) / total^2
  effect <- variance / (p * (1 - p) / total)
  limits <- if (is.finite(effect) && effect > 0) wilson(p, total / effect, level) else c(NA, NA)
  z <- (p - 0.5) / sqrt(variance)
  list(value = p, low = limits[1], high = limits[2], se = sqrt(variance), effect = effect,
       p = 2 * pnorm(-abs(z)))
}

# d' and criterion with the log-linear correction of Hautus 1995.
detection <- function(hit, miss, false_alarm, correct, level) {
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
  if (length(groups) == 2) {
    for (place in 1:2) {
      part <- own[own$group == names(groups)[place], ]
      found <- clustered(part$given == part$right, part$cluster, level_of_entry(entry))
      keep(entry, "comparison", "These readers", c("first", "second")[place], found$value,
           found$low, found$high, anyDuplicated(part$cluster) > 0)
    }
  }
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
  own <- answers_of(entry)
  own <- own[!own$silent, ]
  if (entry$missing == "complete") own <- complete_only(own)
  graded <- questions[questions$question == entry$question & questions$level != "", ]
  own$number <- if (nrow(graded)) as.numeric(graded$score[match(own$level, graded$level)]) else
    as.numeric(own$value)
  own <- own[is.finite(own$number), ]
  own$cluster <- if (entry$unit == "case") own$item else own$subject
  own$class <- items$origin[match(own$item, items$item)]
  classes <- c(real = "real", synthetic = "synthetic")
  if (!all(names(classes) %in% own$class)) classes <- c("." = "")
  for (arm in intersect(arms_of(entry), own$arm)) for (class in names(classes)) {
    part <- own[own$arm == arm & (class == "." | own$class == class), ]
    who <- readers$reader[readers$reader %in% part$reader]
    for (reader in c(who, if (length(who) > 1) "All readers")) {
      one <- if (reader == "All readers") part else part[part$reader == reader, ]
      row <- c(if (nrow(arms) > 1) arm_name(arm), if (class != ".") classes[[class]], reader)
      score_row(entry, one, paste(row, collapse = " | "))
    }
  }
}

score_row <- function(entry, one, row) {
  total <- tapply(one$number, one$cluster, sum); n <- tapply(one$number, one$cluster, length)
  middle <- mean(one$number)
  clusters <- length(n)
  se <- sqrt(clusters / (clusters - 1) * sum((total - middle * n)^2)) / sum(n)
  half <- qt(1 - (1 - level_of_entry(entry)) / 2, clusters - 1) * se
  keep(entry, "means", row, "mean", middle, middle - half, middle + half, isTRUE(se > 0))
  keep(entry, "means", row, "median", median(one$number))
  keep(entry, "means", row, "n", nrow(one))
}

# ---- answers to real and to synthetic images ------------------------------------------------------

comparison <- function(entry) {
  levels <- levels_of(entry$question)
  if (!length(levels) || kind_of(entry$question) == "multi") {
    return(leave(entry, "answers that name no single level are not redone"))
  }
  if (entry$covariates != "" || entry$consensus %in% c("1", "True") ||
      entry$not_evaluable == "wrong") {
    return(leave(entry, "covariates, consensus and a level of its own for not evaluable"))
  }
  own <- answers_of(entry)
  own <- own[!own$silent & own$level %in% levels, ]
  if (entry$missing == "complete") own <- complete_only(own)
  own$cluster <- if (entry$unit == "case") own$item else own$subject
  own$class <- items$origin[match(own$item, items$item)]
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
        shared <- anyDuplicated(one$cluster) > 0
        inside <- mean(hit) > 0 && mean(hit) < 1
        limits <- if (shared && inside) {
          found <- clustered(hit, one$cluster, level_of_entry(entry))
          c(found$low, found$high)
        } else wilson(mean(hit), length(hit), level_of_entry(entry))
        table <- paste0("counts-", arm)
        keep(entry, table, labels[k], paste0("n_", place - 1), sum(hit))
        keep(entry, table, labels[k], paste0("share_", place - 1), mean(hit), limits[1], limits[2],
             inside)
      }
    }
    if (!("chi_square" %in% split_bar(entry$methods))) next
    counts <- table(factor(part$class, classes), factor(part$level, levels))
    counts <- counts[, colSums(counts) > 0, drop = FALSE]
    if (ncol(counts) < 2) next
    found <- suppressWarnings(chisq.test(counts, correct = FALSE))
    row <- "synthetic against real | Pearson\u2019s chi-square"
    keep(entry, paste0("tests-", arm), row, "statistic", found$statistic)
    keep(entry, paste0("tests-", arm), row, "p", found$p.value)
  }
}

# ---- carry out and compare -----------------------------------------------------------------------

endpoints <- list("turing" = turing, "agreement" = agreement, "mrmc-difference" = mrmc_difference,
                  "auc" = areas_alone, "reference" = against_reference, "score" = scores,
                  "comparison" = comparison)
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
