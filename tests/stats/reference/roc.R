# Reference values of ROC statistics: Rscript roc.R > roc.json   (pROC 1.18, jsonlite)
suppressMessages({library(pROC); library(jsonlite)})
set.seed(20)
make <- function(n, share, shift, digits) {
  y <- rbinom(n, 1, share); a <- round(rnorm(n) + shift * y, digits)
  list(y = y, a = a, b = round(0.6 * a + rnorm(n) + 0.4 * shift * y, digits))
}
sets <- list(continuous = make(60, 0.4, 1, 3), grades = make(300, 0.3, 0.8, 0),
             below_half = make(40, 0.5, -0.7, 1), small = list(
  y = c(0, 0, 0, 1, 1), a = c(1, 2, 3, 2, 4), b = c(1, 1, 2, 2, 1)))
curve <- function(y, s) roc(y, s, levels = c(0, 1), direction = "<", quiet = TRUE)
one <- function(r) {
  best <- coords(r, "best", best.method = "youden", transpose = FALSE)
  list(auc = as.numeric(auc(r)), variance = var(r), ci = as.numeric(ci.auc(r))[c(1, 3)],
       thresholds = best$threshold, sensitivity = best$sensitivity, specificity = best$specificity,
       fpr_0.2 = as.numeric(auc(r, partial.auc = c(1, 0.8))),
       fpr_0.35 = as.numeric(auc(r, partial.auc = c(1, 0.65))),
       sens_0.9 = as.numeric(auc(r, partial.auc = c(1, 0.9), partial.auc.focus = "sensitivity")),
       fpr_0.2_corrected = as.numeric(auc(r, partial.auc = c(1, 0.8), partial.auc.correct = TRUE,
                                          allow.invalid.partial.auc.correct = TRUE)))
}
result <- lapply(sets, function(s) {
  a <- curve(s$y, s$a); b <- curve(s$y, s$b)
  paired <- roc.test(a, b, method = "delong", paired = TRUE)
  plan <- power.roc.test(a, b, power = 0.9)
  list(data = s, a = one(a), b = one(b), covariance = cov(a, b),
       paired = list(z = unname(paired$statistic), p = paired$p.value, ci = as.numeric(paired$conf.int)),
       plan = list(positive = plan$ncases, negative = plan$ncontrols))
})
halves <- roc.test(curve(sets$continuous$y, sets$continuous$a), curve(sets$grades$y, sets$grades$a),
                   method = "delong", paired = FALSE)
sizes <- expand.grid(auc = c(0.3, 0.65, 0.9), power = c(0.8, 0.95), alpha = c(0.05, 0.01), ratio = c(1, 2.5))
sizes$positive <- mapply(function(auc, power, alpha, ratio)
  power.roc.test(auc = auc, power = power, sig.level = alpha, kappa = ratio)$ncases,
  sizes$auc, sizes$power, sizes$alpha, sizes$ratio)
cat(toJSON(list(sets = result, unpaired = list(t = unname(halves$statistic),
  df = unname(halves$parameter), p = halves$p.value), sizes = sizes), digits = NA, auto_unbox = TRUE))
