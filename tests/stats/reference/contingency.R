# Reference values for tests/stats/test_contingency.py, test_proportions.py, test_turing.py and
# test_ranks.py. Run: Rscript contingency.R > contingency.json
suppressPackageStartupMessages({library(vcd); library(jsonlite)})

set.seed(8261)
tables <- list(
  two_by_two = matrix(c(11, 3, 5, 9), 2),
  two_by_four = matrix(c(8, 1, 4, 6, 2, 7, 3, 3), 2),
  three_by_three = matrix(c(5, 0, 3, 1, 6, 2, 4, 1, 0), 3),
  four_by_three = matrix(c(2, 1, 0, 4, 0, 3, 5, 1, 3, 0, 2, 2), 4),
  sparse = matrix(c(1, 0, 2, 0, 3, 0, 0, 1, 0, 0, 2, 1), 3)
)
test_of <- function(t) {
  chi <- suppressWarnings(chisq.test(t, correct = FALSE))
  g <- assocstats(t)
  list(table = t, chi2 = unname(chi$statistic), df = unname(chi$parameter), p = chi$p.value,
       fisher = fisher.test(t, workspace = 2e7)$p.value,
       g = g$chisq_tests["Likelihood Ratio", "X^2"],
       p_g = g$chisq_tests["Likelihood Ratio", "P(> X^2)"], v = g$cramer)
}
yates <- suppressWarnings(chisq.test(tables$two_by_two, correct = TRUE))

binomials <- lapply(list(c(0, 12), c(12, 12), c(7, 23), c(41, 60)), function(v) {
  t <- binom.test(v[1], v[2], .5)
  list(k = v[1], n = v[2], p = t$p.value, low = t$conf.int[1], high = t$conf.int[2],
       greater = binom.test(v[1], v[2], .5, alternative = "greater")$p.value,
       third = binom.test(v[1], v[2], 1 / 3)$p.value,
       wilson = prop.test(v[1], v[2], correct = FALSE)$conf.int[1:2])
})

pairs <- lapply(list(c(20, 12, 5, 13), c(40, 1, 2, 7), c(15, 6, 6, 3)), function(v) {
  m <- matrix(v[c(1, 3, 2, 4)], 2)
  plain <- mcnemar.test(m, correct = FALSE)
  corrected <- mcnemar.test(m)
  list(counts = v, chi2 = unname(plain$statistic), p = plain$p.value,
       chi2_corrected = unname(corrected$statistic), p_corrected = corrected$p.value,
       exact = binom.test(v[2], v[2] + v[3])$p.value)
})

x <- round(rnorm(14, 1), 3); y <- round(rnorm(11), 3)
grades_x <- sample(1:5, 18, TRUE, c(1, 2, 3, 3, 2)); grades_y <- sample(1:5, 15, TRUE)
rank_test <- function(a, b, ...) suppressWarnings(wilcox.test(a, b, ...))
ranks <- list(
  x = x, y = y, u = unname(rank_test(x, y)$statistic),
  exact = rank_test(x, y, exact = TRUE)$p.value,
  grades_x = grades_x, grades_y = grades_y,
  grades_u = unname(rank_test(grades_x, grades_y)$statistic),
  corrected = rank_test(grades_x, grades_y, exact = FALSE)$p.value,
  plain = rank_test(grades_x, grades_y, exact = FALSE, correct = FALSE)$p.value,
  shapiro = unlist(shapiro.test(x)[c("statistic", "p.value")], use.names = FALSE),
  t = with(t.test(x[1:11], y, paired = TRUE),
           list(t = unname(statistic), df = unname(parameter), p = p.value, ci = conf.int[1:2])))
raw <- round(runif(12)^3, 5)
adjusted <- list(raw = raw, bonferroni = p.adjust(raw, "bonferroni"), holm = p.adjust(raw, "holm"),
                 bh = p.adjust(raw, "BH"))
detection <- with(list(h = 17.5 / 26, f = 4.5 / 31), list(
  counts = c(17, 8, 4, 26), dprime = qnorm(h) - qnorm(f), c = -(qnorm(h) + qnorm(f)) / 2))

out <- list(source = R.version.string, tests = lapply(tables, test_of),
            yates = list(chi2 = unname(yates$statistic), p = yates$p.value),
            binomials = binomials, pairs = pairs, ranks = ranks, adjusted = adjusted,
            detection = detection)
cat(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE))
