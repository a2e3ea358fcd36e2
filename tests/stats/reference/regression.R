# Reference values for tests/stats/test_regression.py. Run: Rscript regression.R > regression.json
suppressPackageStartupMessages({ library(jsonlite); library(MASS) })

set.seed(20250311)
n <- 150
grade <- sample(c("low", "middle", "high"), n, replace = TRUE)
x <- data.frame(age = round(rnorm(n, 55, 11)), rim = rbinom(n, 1, .4), size = round(rexp(n, .1), 1),
                middle = as.integer(grade == "middle"), high = as.integer(grade == "high"),
                noise = round(rnorm(n), 3))
y <- rbinom(n, 1, plogis(-6 + .08 * x$age + 1.1 * x$rim + .3 * x$middle + .9 * x$high))
data <- cbind(y, x)
control <- glm.control(epsilon = 1e-14, maxit = 100)
terms <- c("age", "rim", "size", "middle", "high", "noise")
fit <- glm(reformulate(terms, "y"), binomial, data, control = control)

# the limit is where the profile deviance has risen by its critical value: found as a root, because
# confint.glm interpolates a coarse profile by a spline and is right to about four digits only;
# its own limits are in "confint"
profile_limit <- function(term, sign) {
  others <- setdiff(c("1", terms), term)
  shift <- if (term == "1") rep(1, n) else data[[term]]
  column <- if (term == "1") "(Intercept)" else term
  rhs <- if (term == "1") c("0", terms) else others
  excess <- function(b) {
    f <- glm(reformulate(rhs, "y"), binomial, data, offset = b * shift, control = control)
    deviance(f) - deviance(fit) - qchisq(.95, 1)
  }
  b <- coef(fit)[[column]]; s <- sqrt(diag(vcov(fit)))[[column]]
  uniroot(excess, sort(c(b, b + sign * 5 * s)), tol = 1e-13)$root
}

# backward elimination, "grade" as one factor of two terms
factors <- list(age = "age", rim = "rim", size = "size", grade = c("middle", "high"), noise = "noise")
path <- list(); kept <- names(factors)
repeat {
  full <- glm(reformulate(unlist(factors[kept]), "y"), binomial, data, control = control)
  p <- sapply(kept, function(f) {
    rest <- unlist(factors[setdiff(kept, f)])
    less <- glm(if (length(rest)) reformulate(rest, "y") else y ~ 1, binomial, data, control = control)
    pchisq(deviance(less) - deviance(full), df.residual(less) - df.residual(full), lower.tail = FALSE)
  })
  if (max(p) < .05) break
  worst <- kept[which.max(p)]
  path <- c(path, list(list(removed = worst, lrt_p = max(p))))
  kept <- setdiff(kept, worst)
}

# profile limits as confint (MASS:::confint.glm) interpolates them, and a profile too flat for it
limits <- function(model, level) {
  found <- suppressWarnings(suppressMessages(confint(model, level = level)))
  list(low = unname(found[, 1]), high = unname(found[, 2]))
}
flat <- data.frame(y = c(1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0),
                   a = c(0, -.2, -.2, 0, -.7, -.9, -2.2, -.8, -.6, .6, .9, .3, -2.2),
                   b = c(-.2, .1, .3, .6, -.4, -1.7, .1, -.8, -.4, .7, 3, .2, -1.7))
flat_fit <- glm(y ~ a + b, binomial, flat, control = control)
flat_excess <- function(v) {
  f <- suppressWarnings(glm(y ~ a, binomial, flat, offset = v * b, control = control,
                            start = c(.2 - .62 * v, 2 - 2.64 * v)))  # others diverge
  deviance(f) - deviance(flat_fit) - qchisq(.95, 1)
}
knots <- c(0, .4, 1.1, 1.5, 2.7, 3); heights <- c(1, .2, -.5, 2, .3, 4)

# Firth by brute force: the penalised likelihood maximised by optim on separated data
sep <- data.frame(y = c(rep(1, 11), rep(0, 33)), x1 = c(rep(1, 6), rep(0, 38)),
                  x2 = round(rnorm(44), 2))
X <- cbind(1, sep$x1, sep$x2)
penalised <- function(b) {
  eta <- drop(X %*% b); w <- plogis(eta) * plogis(-eta)
  sum(sep$y * eta + plogis(-eta, log.p = TRUE)) + .5 * as.numeric(determinant(t(X) %*% (w * X))$modulus)
}
best <- function(fixed, value) {
  free <- setdiff(1:3, fixed)
  at <- function(p) { b <- numeric(3); b[free] <- p; b[fixed] <- value; b }
  start <- rep(0, length(free))
  for (i in 1:5) {
    o <- optim(start, function(p) -penalised(at(p)), method = "BFGS",
               control = list(reltol = 1e-16, maxit = 5000))
    start <- o$par
  }
  list(par = at(o$par), value = -o$value)
}
top <- best(integer(0), numeric(0))
eta <- drop(X %*% top$par); w <- plogis(eta) * plogis(-eta)
firth_limit <- function(j, sign) {
  excess <- function(b) 2 * (top$value - best(j, b)$value) - qchisq(.95, 1)
  uniroot(excess, sort(c(top$par[j], top$par[j] + sign * 12)), tol = 1e-10)$root
}

out <- list(
  source = list(r = R.version.string),
  y = y, x = x,
  fit = list(
    terms = names(coef(fit)), beta = unname(coef(fit)),
    se = unname(sqrt(diag(vcov(fit)))), p = unname(coef(summary(fit))[, 4]),
    loglik = as.numeric(logLik(fit)), aic = AIC(fit), bic = BIC(fit),
    profile_low = sapply(c("1", terms), profile_limit, sign = -1, USE.NAMES = FALSE),
    profile_high = sapply(c("1", terms), profile_limit, sign = 1, USE.NAMES = FALSE)),
  confint = list(limits(fit, .95), limits(fit, .8)),
  flat = c(flat, lapply(limits(flat_fit, .95), is.na),
           list(exact_low_b = uniroot(flat_excess, c(-115, -95), tol = 1e-12)$root)),
  spline = lapply(3:6, function(m) spline(knots[1:m], heights[1:m])$y),
  elimination = list(path = path, kept = kept),
  firth = list(
    y = sep$y, x1 = sep$x1, x2 = sep$x2, beta = top$par, loglik = top$value,
    se = sqrt(diag(solve(t(X) %*% (w * X)))),
    p_lr = sapply(1:3, function(j) pchisq(2 * (top$value - best(j, 0)$value), 1, lower.tail = FALSE)),
    low = sapply(1:3, firth_limit, sign = -1), high = sapply(1:3, firth_limit, sign = 1)))
cat(toJSON(out, digits = 15, auto_unbox = TRUE, dataframe = "columns", pretty = TRUE))
