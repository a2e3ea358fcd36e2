# Reference values for tests/stats/test_reclassification.py.
# Run: Rscript reclassification.R > reclassification.json
suppressPackageStartupMessages({library(Hmisc); library(jsonlite)})

set.seed(20250313)
n <- 180
y <- rbinom(n, 1, .35)
old <- round(plogis(-1 + 1.2 * y + rnorm(n)), 2)
new <- ifelse(runif(n) < .15, old, round(plogis(-1.2 + 1.7 * y + rnorm(n)), 2))
r <- improveProb(old, new, y)

# categories by hand: cut() with the bound in the upper category, then the shares of Pencina 2008
cutoffs <- c(.2, .4, .7)
category <- function(p) as.integer(cut(p, c(-Inf, cutoffs, Inf), right = FALSE))
move <- sign(category(new) - category(old))
share <- function(event, direction) mean(move[y == event] == direction)

out <- list(
  source = list(r = R.version.string, Hmisc = as.character(packageVersion("Hmisc"))),
  y = y, old = old, new = new, cutoffs = cutoffs,
  continuous = list(value = unname(r$nri), events = unname(r$nri.ev), nonevents = unname(r$nri.ne),
                    se = unname(r$se.nri), z = unname(r$z.nri), up_events = unname(r$pup.ev),
                    down_nonevents = unname(r$pdown.ne)),
  idi = list(value = unname(r$idi), se = unname(r$se.idi), z = unname(r$z.idi)),
  categorical = list(events = share(1, 1) - share(1, -1), nonevents = share(0, -1) - share(0, 1)))
cat(toJSON(out, digits = 15, auto_unbox = TRUE, pretty = TRUE))
