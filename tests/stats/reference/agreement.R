# Reference values for tests/stats/test_agreement*.py. Run: Rscript agreement.R > agreement.json
suppressPackageStartupMessages({library(psych); library(vcd); library(vegan); library(jsonlite)})

set.seed(20240607)
n <- 36
truth <- sample(1:4, n, replace = TRUE)
noisy <- function(p) ifelse(runif(n) < p, truth, sample(1:4, n, replace = TRUE))
grades <- cbind(noisy(.7), noisy(.6), noisy(.5))

kappa_of <- function(a, b, weights) {
  table <- table(factor(a, 1:4), factor(b, 1:4))
  k <- Kappa(table, weights = weights)
  list(unweighted = unname(k$Unweighted), weighted = unname(k$Weighted))
}
icc_of <- function(x) {
  r <- ICC(x, lmer = FALSE)$results
  lapply(split(r, r$type), function(row) list(
    value = row$ICC, f = row$F, df1 = row$df1, df2 = row$df2, p = row$p,
    low = row[["lower bound"]], high = row[["upper bound"]]))
}
kendall_of <- function(x) {
  k <- kendall.global(x, nperm = 1)$Concordance_analysis
  as.list(setNames(k[, 1], rownames(k)))
}

shrout <- rbind(c(9, 2, 5, 8), c(6, 1, 3, 2), c(8, 4, 6, 8), c(7, 1, 2, 6), c(10, 5, 6, 9),
                c(6, 2, 4, 7))
measured <- matrix(round(rnorm(20 * 3, rep(rnorm(20, 50, 8), 3), 4), 2), 20, 3)

out <- list(
  source = list(r = R.version.string, psych = as.character(packageVersion("psych")),
                vcd = as.character(packageVersion("vcd")),
                vegan = as.character(packageVersion("vegan"))),
  grades = grades,
  kappa_linear = kappa_of(grades[, 1], grades[, 2], "Equal-Spacing"),
  kappa_quadratic = kappa_of(grades[, 1], grades[, 2], "Fleiss-Cohen"),
  icc_shrout = icc_of(shrout),
  icc_grades = icc_of(grades),
  measured = measured,
  icc_measured = icc_of(measured),
  kendall_grades = kendall_of(grades),
  kendall_measured = kendall_of(measured)
)
cat(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE))
