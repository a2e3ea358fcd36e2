"""What each method is called in a paper, and where it is described."""

from __future__ import annotations

from collections.abc import Iterable

PAPERS = {
    "benjamini1995": "Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc "
    "B 1995;57:289–300.",
    "bergsma2013": "Bergsma W. A bias-correction for Cramér’s V and Tschuprow’s T. J Korean Stat "
    "Soc 2013;42:323–328.",
    "blanche2013": "Blanche P, Dartigues JF, Jacqmin-Gadda H. Estimating and comparing "
    "time-dependent areas under receiver operating characteristic curves. Stat Med "
    "2013;32:5381–5397.",
    "bland1986": "Bland JM, Altman DG. Statistical methods for assessing agreement between two "
    "methods of clinical measurement. Lancet 1986;i:307–310.",
    "boos1992": "Boos DD. On generalized score tests. Am Stat 1992;46:327–333.",
    "clopper1934": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated "
    "in the case of the binomial. Biometrika 1934;26:404–413.",
    "cochran1977": "Cochran WG. Sampling techniques. 3rd ed. New York: Wiley; 1977, chapter 6.",
    "cohen1960": "Cohen J. A coefficient of agreement for nominal scales. Educ Psychol Meas "
    "1960;20:37–46.",
    "conger1980": "Conger AJ. Integration and generalization of kappas for multiple raters. "
    "Psychol Bull 1980;88:322–328.",
    "cox1972": "Cox DR. Regression models and life-tables. J R Stat Soc B 1972;34:187–220.",
    "delong1988": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more "
    "correlated receiver operating characteristic curves. Biometrics 1988;44:837–845.",
    "dorfman1992": "Dorfman DD, Berbaum KS, Metz CE. Receiver operating characteristic rating "
    "analysis. Invest Radiol 1992;27:723–731.",
    "efron1977": "Efron B. The efficiency of Cox’s likelihood function for censored data. J Am "
    "Stat Assoc 1977;72:557–565.",
    "efron1987": "Efron B. Better bootstrap confidence intervals. J Am Stat Assoc 1987;82:171–185.",
    "ellingson2017": "Ellingson BM, Wen PY, Cloughesy TF. Modified criteria for radiographic "
    "response assessment in glioblastoma clinical trials. Neurotherapeutics 2017;14:307–320.",
    "firth1993": "Firth D. Bias reduction of maximum likelihood estimates. Biometrika "
    "1993;80:27–38.",
    "fleiss1969": "Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and "
    "weighted kappa. Psychol Bull 1969;72:323–327.",
    "fleiss1971": "Fleiss JL. Measuring nominal scale agreement among many raters. Psychol Bull "
    "1971;76:378–382.",
    "freeman1951": "Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of "
    "fit and other problems of significance. Biometrika 1951;38:141–149.",
    "gallas2006": "Gallas BD. One-shot estimate of MRMC variance: AUC. Acad Radiol "
    "2006;13:353–362.",
    "gwet2008": "Gwet KL. Computing inter-rater reliability and its variance in the presence of "
    "high agreement. Br J Math Stat Psychol 2008;61:29–48.",
    "hanley1982": "Hanley JA, McNeil BJ. The meaning and use of the area under a receiver "
    "operating characteristic (ROC) curve. Radiology 1982;143:29–36.",
    "harrell1982": "Harrell FE Jr, Califf RM, Pryor DB, Lee KL, Rosati RA. Evaluating the yield "
    "of medical tests. JAMA 1982;247:2543–2546.",
    "harrell1996": "Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med "
    "1996;15:361–387.",
    "hautus1995": "Hautus MJ. Corrections for extreme proportions and their biasing effects on "
    "estimated values of d′. Behav Res Methods 1995;27:46–51.",
    "hillis2007": "Hillis SL. A comparison of denominator degrees of freedom methods for multiple "
    "observer ROC analysis. Stat Med 2007;26:596–619.",
    "holm1979": "Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat "
    "1979;6:65–70.",
    "hosmer2013": "Hosmer DW, Lemeshow S, Sturdivant RX. Applied logistic regression. 3rd ed. "
    "Hoboken: Wiley; 2013.",
    "james1984": "James LR, Demaree RG, Wolf G. Estimating within-group interrater reliability "
    "with and without response bias. J Appl Psychol 1984;69:85–98.",
    "jayachandran2021": "Jayachandran Preetha C, Meredig H, Brugnara G, et al. "
    "Deep-learning-based synthesis of post-contrast T1-weighted MRI for tumour response "
    "assessment in neuro-oncology: a multicentre, retrospective cohort study. Lancet Digit "
    "Health 2021;3:e784–e794.",
    "kaplan1958": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J "
    "Am Stat Assoc 1958;53:457–481.",
    "kendall1939": "Kendall MG, Babington Smith B. The problem of m rankings. Ann Math Stat "
    "1939;10:275–287.",
    "kerr2014": "Kerr KF, Wang Z, Janes H, et al. Net reclassification indices for evaluating "
    "risk prediction instruments. Epidemiology 2014;25:114–121.",
    "krippendorff2011": "Krippendorff K. Computing Krippendorff’s alpha-reliability. University "
    "of Pennsylvania; 2011.",
    "light1971": "Light RJ. Measures of response agreement for qualitative data. Psychol Bull "
    "1971;76:365–377.",
    "lin1989": "Lin LI-K. A concordance correlation coefficient to evaluate reproducibility. "
    "Biometrics 1989;45:255–268.",
    "macmillan2005": "Macmillan NA, Creelman CD. Detection theory: a user’s guide. 2nd ed. "
    "Mahwah: Erlbaum; 2005.",
    "mann1947": "Mann HB, Whitney DR. On a test of whether one of two random variables is "
    "stochastically larger than the other. Ann Math Stat 1947;18:50–60.",
    "mantel1966": "Mantel N. Evaluation of survival data and two new rank order statistics. "
    "Cancer Chemother Rep 1966;50:163–170.",
    "mcclish1989": "McClish DK. Analyzing a portion of the ROC curve. Med Decis Making "
    "1989;9:190–195.",
    "mcnemar1947": "McNemar Q. Note on the sampling error of the difference between correlated "
    "proportions or percentages. Psychometrika 1947;12:153–157.",
    "nagelkerke1991": "Nagelkerke NJD. A note on a general definition of the coefficient of "
    "determination. Biometrika 1991;78:691–692.",
    "newcombe1998": "Newcombe RG. Interval estimation for the difference between independent "
    "proportions. Stat Med 1998;17:873–890.",
    "obuchowski1995": "Obuchowski NA, Rockette HE. Hypothesis testing of diagnostic accuracy for "
    "multiple readers and multiple tests. Commun Stat Simul Comput 1995;24:285–308.",
    "obuchowski1997": "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. "
    "Biometrics 1997;53:567–578.",
    "pearson1900": "Pearson K. On the criterion that a given system of deviations from the "
    "probable … can be reasonably supposed to have arisen from random sampling. Philos Mag "
    "1900;50:157–175.",
    "pencina2008": "Pencina MJ, D’Agostino RB Sr, D’Agostino RB Jr, Vasan RS. Evaluating the "
    "added predictive ability of a new marker. Stat Med 2008;27:157–172.",
    "pencina2011": "Pencina MJ, D’Agostino RB Sr, Steyerberg EW. Extensions of net "
    "reclassification improvement calculations. Stat Med 2011;30:11–21.",
    "rao1992": "Rao JNK, Scott AJ. A simple method for the analysis of clustered binary data. "
    "Biometrics 1992;48:577–585.",
    "rotnitzky1990": "Rotnitzky A, Jewell NP. Hypothesis testing of regression parameters in "
    "semiparametric generalized linear models for cluster correlated data. Biometrika "
    "1990;77:485–497.",
    "schuirmann1987": "Schuirmann DJ. A comparison of the two one-sided tests procedure and the "
    "power approach for assessing the equivalence of average bioavailability. J Pharmacokinet "
    "Biopharm 1987;15:657–680.",
    "shapiro1965": "Shapiro SS, Wilk MB. An analysis of variance test for normality. Biometrika "
    "1965;52:591–611.",
    "shrout1979": "Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater "
    "reliability. Psychol Bull 1979;86:420–428.",
    "sokal2012": "Sokal RR, Rohlf FJ. Biometry. 4th ed. New York: Freeman; 2012, chapter 17.",
    "spearman1904": "Spearman C. The proof and measurement of association between two things. "
    "Am J Psychol 1904;15:72–101.",
    "student1908": "Student. The probable error of a mean. Biometrika 1908;6:1–25.",
    "wen2023": "Wen PY, van den Bent M, Youssef G, et al. RANO 2.0: update to the Response "
    "Assessment in Neuro-Oncology criteria for high- and low-grade gliomas in adults. J Clin "
    "Oncol 2023;41:5187–5199.",
    "wilcoxon1945": "Wilcoxon F. Individual comparisons by ranking methods. Biometrics Bull "
    "1945;1:80–83.",
    "wilson1927": "Wilson EB. Probable inference, the law of succession, and statistical "
    "inference. J Am Stat Assoc 1927;22:209–212.",
    "youden1950": "Youden WJ. Index for rating diagnostic tests. Cancer 1950;3:32–35.",
    "zou2008": "Zou GY, Donner A. Construction of confidence limits about effect measures: a "
    "general approach. Stat Med 2008;27:1693–1702.",
}
METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "adjust_pvalues": ("adjustment for multiple testing", ()),
    "auc": ("area under the ROC curve with DeLong’s variance", ("delong1988",)),
    "backward_elimination": ("backward elimination by likelihood-ratio tests", ("hosmer2013",)),
    "binomial_against": ("exact binomial test", ("clopper1934",)),
    "bland_altman": ("limits of agreement", ("bland1986",)),
    "bootstrap_auc": ("area under the ROC curve with a bootstrap interval", ("efron1987",)),
    "bootstrap_auc_difference": ("bootstrap comparison of areas", ("efron1987",)),
    "chi_square": ("Pearson’s χ² test without continuity correction", ("pearson1900",)),
    "clustered_against": ("share and its test with cases as clusters", ("rao1992",)),
    "clustered_auc": ("area under the ROC curve of clustered data", ("obuchowski1997",)),
    "clustered_chi_square": (
        "test of a table with patients or cases as clusters",
        ("rotnitzky1990", "boos1992"),
    ),
    "clustered_comparison": (
        "shares of groups compared with patients or cases as clusters",
        ("rotnitzky1990", "rao1992", "zou2008"),
    ),
    "clustered_mean": ("mean with patients or cases as clusters", ("cochran1977",)),
    "clustered_mean_difference": (
        "difference of means with patients or cases as clusters",
        ("cochran1977",),
    ),
    "clustered_proportion": ("share with cases as clusters", ("rao1992",)),
    "cohen_kappa": ("Cohen’s kappa", ("cohen1960", "fleiss1969")),
    "cohen_kappa_from_table": ("Cohen’s kappa of a table", ("cohen1960", "fleiss1969")),
    "compare_progression": (
        "progression on true and on synthetic images compared",
        ("jayachandran2021", "wen2023"),
    ),
    "concordance_correlation": ("concordance correlation", ("lin1989",)),
    "confusion": ("confusion table with exact intervals", ("clopper1934",)),
    "conger_kappa": ("Conger’s exact kappa", ("conger1980",)),
    "cox": ("Cox’s proportional hazards model", ("cox1972", "efron1977")),
    "cramers_v": ("Cramér’s V", ("bergsma2013",)),
    "delong_test": ("DeLong’s test of two paired areas", ("delong1988",)),
    "delong_test_unpaired": ("DeLong’s test of two independent areas", ("delong1988",)),
    "dorfman_berbaum_metz": (
        "multireader multicase analysis after Dorfman, Berbaum and Metz",
        ("dorfman1992", "hillis2007"),
    ),
    "dprime": (
        "d′ and criterion with the log-linear correction",
        ("macmillan2005", "hautus1995"),
    ),
    "equivalence_to_chance": (
        "two one-sided tests of equivalence to guessing",
        ("schuirmann1987",),
    ),
    "fisher_exact": ("Fisher’s exact test", ("freeman1951",)),
    "fleiss_kappa": ("Fleiss’ kappa", ("fleiss1971", "gwet2008")),
    "g_test": ("likelihood-ratio test of a contingency table", ("sokal2012",)),
    "gwet_ac": ("Gwet’s AC", ("gwet2008",)),
    "harrell_c": ("Harrell’s concordance index", ("harrell1982", "harrell1996")),
    "icc": ("intraclass correlation", ("shrout1979",)),
    "idi": ("integrated discrimination improvement", ("pencina2008", "kerr2014")),
    "kaplan_meier": ("Kaplan–Meier estimate", ("kaplan1958",)),
    "kendall_w": ("Kendall’s W", ("kendall1939",)),
    "krippendorff_alpha": ("Krippendorff’s alpha", ("krippendorff2011",)),
    "light_kappa": ("Light’s kappa", ("light1971",)),
    "logistic": ("logistic regression, with Firth’s penalty under separation", ("firth1993",)),
    "logrank": ("log-rank test", ("mantel1966",)),
    "mann_whitney": ("Mann–Whitney test", ("mann1947",)),
    "mcnemar": ("McNemar’s test of paired shares", ("mcnemar1947", "newcombe1998")),
    "non_inferiority": ("test of non-inferiority", ("schuirmann1987",)),
    "nri_categorical": (
        "net reclassification over categories",
        ("pencina2008", "kerr2014"),
    ),
    "nri_continuous": ("net reclassification without categories", ("pencina2011", "kerr2014")),
    "obuchowski_rockette": (
        "multireader multicase analysis after Obuchowski and Rockette",
        ("obuchowski1995", "hillis2007"),
    ),
    "paired_t": ("paired t test", ("student1908",)),
    "partial_auc": ("partial area under the ROC curve", ("mcclish1989",)),
    "percent_agreement": ("per cent agreement", ()),
    "progression_times": ("times to progression of patients", ("wen2023", "ellingson2017")),
    "proportion": ("share with Wilson’s interval", ("wilson1927",)),
    "roc_curve": ("empirical ROC curve", ("hanley1982",)),
    "rwg": ("within-group agreement", ("james1984",)),
    "shapiro_wilk": ("Shapiro–Wilk test", ("shapiro1965",)),
    "signed_rank": ("Wilcoxon’s signed-rank test", ("wilcoxon1945",)),
    "spearman": ("Spearman’s rank correlation", ("spearman1904",)),
    "time_dependent_auc": ("time-dependent area under the ROC curve", ("blanche2013",)),
    "time_to_progression": ("time to progression", ("wen2023", "ellingson2017")),
    "two_proportions": ("comparison of two independent shares", ("newcombe1998",)),
    "u_statistic": ("U-statistics of multireader multicase data", ("gallas2006",)),
    "univariable": ("univariable logistic regression", ("hosmer2013",)),
    "youden": ("cut-off of the largest Youden index", ("youden1950",)),
}
ADJUSTMENTS = {"holm": ("holm1979",), "bh": ("benjamini1995",), "bonferroni": ()}
EXTRA = {"logistic": ("nagelkerke1991",)}


def name_of(method: str) -> str:
    """Return a method in words."""
    return METHODS[method][0] if method in METHODS else method.replace("_", " ")


def references_of(methods: Iterable[str], adjustments: Iterable[str] = ()) -> list[str]:
    """Return the references of some methods, each once, in alphabetical order."""
    keys = {key for method in methods for key in METHODS.get(method, ("", ()))[1]}
    keys |= {key for method in methods for key in EXTRA.get(method, ())}
    keys |= {key for adjustment in adjustments for key in ADJUSTMENTS.get(adjustment, ())}
    return sorted(PAPERS[key] for key in keys)
