# Reference values of multi-reader designs: Rscript mrmc.R > mrmc.json
# MRMCaov 0.3 (Obuchowski-Rockette), iMRMC 2.1 (U-statistic), RJafroc 2.1 (power), jsonlite.
# Data: Van Dyke (MRMCaov::VanDyke), thinned into nested and split-plot designs below.
library(MRMCaov); library(iMRMC); library(RJafroc); library(jsonlite)
d <- VanDyke; d$k <- as.integer(as.character(d$case))
d <- data.frame(reader = as.integer(as.character(d$reader)),
                treatment = as.integer(as.character(d$treatment)),
                case = d$k, truth = d$truth, rating = d$rating)
designs <- list(
  case_in_reader = d[d$case %% 5 + 1 == d$reader, ],
  case_in_test = d[d$case %% 2 + 1 == d$treatment, ],
  reader_in_test = d[(d$reader <= 3) == (d$treatment == 1), ],
  balanced_reader_in_test = d[d$reader != 3 & (d$reader < 3) == (d$treatment == 1), ])
describe <- function(data, cov, ...) {
  s <- summary(mrmc(empirical_auc(truth, rating), treatment, ..., data = data, cov = cov))
  list(components = as.list(setNames(s$vcov_comps$Estimate, rownames(s$vcov_comps))),
       equality = as.list(s$test_equality),
       difference = as.list(unlist(s$test_diffs[-1])), means = as.list(do.call(data.frame, as.list(s$test_means))))
}
nested <- lapply(designs, function(x) lapply(
  list(jackknife = jackknife, unbiased = unbiased), function(cov) list(
    both = describe(x, cov, reader, case), cases = describe(x, cov, fixed(reader), case),
    readers = describe(x, cov, reader, fixed(case)))))
# MRMCaov 0.3 forgets the square of the number of readers in its formula for readers within tests;
# the two "reader_in_test" entries were made with (n^2 - sum(n_i^2)) / (n (I - 1)) in its place.
split <- d[(d$reader <= 2) == (d$case %% 4 < 2) & (d$case * 7 + d$reader * 3 + d$treatment) %% 13 != 0, ]
truths <- unique(d[c("case", "truth")])
imrmc <- rbind(
  data.frame(readerID = "truth", caseID = truths$case, modalityID = "truth", score = truths$truth),
  data.frame(readerID = paste0("r", split$reader), caseID = split$case,
             modalityID = paste0("m", split$treatment), score = split$rating))
u <- doAUCmrmc(imrmc)$Ustat.full
power <- function(J, K, option) SsPowerGivenJK(NULL, "Wilcoxon", J, K, 0.05, analysisOption = option,
  KStar = 114, VarTR = 0.0002, Cov1 = 0.00035, Cov2 = 0.00034, Cov3 = 0.00024, Var = 0.0008)
grid <- expand.grid(J = c(3, 5, 12), K = c(40, 114, 300))
powers <- lapply(c("RRRC", "FRRC", "RRFC"), function(o)
  mapply(function(J, K) power(J, K, o)[[1]], grid$J, grid$K))
cat(toJSON(list(nested = nested,
  split_plot = u[c("AUC.1", "AUC.2", "covAUC", "covAUC.biased", "dfBDG",
    "AUC1minusAUC2", "varAUC1minusAUC2", "dfBDG.diff", "botCIBDG", "topCIBDG", "pValueBDG")],
  power = list(grid = grid, RRRC = powers[[1]], FRRC = powers[[2]], RRFC = powers[[3]])),
  digits = NA, auto_unbox = TRUE, na = "null"))
