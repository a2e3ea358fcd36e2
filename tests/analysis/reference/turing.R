# Recompute the main numbers of a visual Turing test from the exported CSV alone, in base R.
# Usage: Rscript turing.R reads_wide.csv  -> JSON on standard output
reads <- read.csv(commandArgs(TRUE)[1], colClasses = "character")
reads$correct <- as.integer(reads$answer_origin == reads$origin)

wilson <- function(k, n) prop.test(k, n, correct = FALSE)$conf.int
number <- function(x) format(x, digits = 17)
field <- function(name, x) sprintf("\"%s\": %s", name, number(x))

per_reader <- sapply(split(reads, reads$reader), function(part) {
  k <- sum(part$correct); n <- nrow(part)
  exact <- binom.test(k, n)
  limits <- wilson(k, n)
  sprintf("{%s}", paste(
    sprintf("\"reader\": \"%s\"", part$reader[1]),
    field("accuracy", k / n), field("low", limits[1]), field("high", limits[2]),
    field("exact_low", exact$conf.int[1]), field("exact_high", exact$conf.int[2]),
    field("p", exact$p.value), sep = ", "))
})

# Pooled accuracy with the case as cluster: ratio estimator (Rao & Scott 1992).
k <- tapply(reads$correct, reads$case, sum); n <- tapply(reads$correct, reads$case, length)
p <- sum(k) / sum(n)
se <- sqrt(length(k) / (length(k) - 1) * sum((k - p * n)^2)) / sum(n)

# Cohen's kappa of the first two readers, asymptotic interval (Fleiss, Cohen & Everitt 1969).
codes <- sort(unique(reads$reader))
wide <- merge(reads[reads$reader == codes[1], c("case", "answer_origin")],
              reads[reads$reader == codes[2], c("case", "answer_origin")], by = "case")
levels <- c("real", "synthetic")
P <- table(factor(wide[[2]], levels), factor(wide[[3]], levels)) / nrow(wide)
row <- rowSums(P); col <- colSums(P)
po <- sum(diag(P)); pe <- sum(row * col); kappa <- (po - pe) / (1 - pe)
a <- sum(diag(P) * (1 - (row + col) * (1 - kappa))^2)
b <- (1 - kappa)^2 * sum((P - diag(diag(P))) * outer(col, row, "+")^2)
c <- (kappa - pe * (1 - kappa))^2
kse <- sqrt((a + b - c) / nrow(wide)) / (1 - pe)

cat(sprintf("{\"readers\": [%s], \"overall\": {%s}, \"kappa\": {%s}}\n",
  paste(per_reader, collapse = ", "),
  paste(field("accuracy", p), field("se", se), field("p", 2 * pnorm(-abs((p - 0.5) / se))), sep = ", "),
  paste(field("value", kappa), field("low", kappa - qnorm(0.975) * kse),
        field("high", kappa + qnorm(0.975) * kse), field("agreement", po), sep = ", ")))
