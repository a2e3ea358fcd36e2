# Reference values for tests/stats/test_survival.py. Run: Rscript survival.R > survival.json
suppressPackageStartupMessages({library(survival); library(jsonlite)})

set.seed(20250312)
n <- 120
# whole months make many ties, also of events with censorings
arm <- sample(c("cbv", "standard", "none"), n, replace = TRUE)
age <- round(rnorm(n, 58, 9)); marker <- round(rnorm(n), 1)
failure <- rexp(n, .03 * exp(.5 * marker + .02 * (age - 58) + .4 * (arm == "none")))
censored <- runif(n, 0, 60)
time <- pmax(1, ceiling(pmin(failure, censored))); event <- as.integer(failure <= censored)
surv <- Surv(time, event)

km_of <- function(type) {
  f <- survfit(surv ~ 1, conf.type = type)
  s <- summary(f, times = c(2, 5, 12, 24, 40))
  m <- quantile(f, .5)
  list(times = s$time, survival = s$surv, se = s$std.err, low = s$lower, high = s$upper,
       n_risk = s$n.risk, median = unname(m$quantile), median_low = unname(m$lower),
       median_high = unname(m$upper))
}
cox_of <- function(ties) {
  f <- coxph(surv ~ age + marker + I(arm == "none"), ties = ties,
             control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100))
  list(beta = unname(coef(f)), se = unname(sqrt(diag(vcov(f)))), loglik = f$loglik)
}
lr <- survdiff(surv ~ arm)
two <- arm != "none"
lr2 <- survdiff(surv[two] ~ arm[two])
cc <- concordance(surv ~ marker, reverse = TRUE)

# a curve that lies on one half between two events: the median is the middle
flat <- survfit(Surv(c(1, 2, 3, 4), c(1, 1, 1, 1)) ~ 1)

out <- list(
  source = list(r = R.version.string, survival = as.character(packageVersion("survival"))),
  time = time, event = event, arm = arm, age = age, marker = marker,
  km_loglog = km_of("log-log"), km_log = km_of("log"),
  flat_median = unname(quantile(flat, .5)$quantile),
  logrank = list(chi2 = lr$chisq, df = length(lr$n) - 1, groups = sort(unique(arm)),
                 observed = unname(lr$obs), expected = unname(lr$exp)),
  logrank_two = lr2$chisq,
  efron = cox_of("efron"), breslow = cox_of("breslow"),
  concordance = list(c = unname(cc$concordance), se = sqrt(unname(cc$var)),
                     counts = unname(cc$count)[1:3]))
cat(toJSON(out, digits = 15, auto_unbox = TRUE, pretty = TRUE))
