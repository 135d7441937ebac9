"""Every technical word a page uses, explained once, in a sentence a newcomer understands."""

GLOSSARY = {
    "u": "u is the probability the network gives to the label of a sample, between 0 and 1.",
    "K": "K is the number of classes the network chooses between.",
    "1/K": "1/K is the probability an untrained network gives to every class: training starts there.",
    "loss": "A loss says how much a prediction costs; training makes it small.",
    "derivative": "The derivative is the slope of the loss: how much the cost falls when u grows a little.",
    "sample weight": "The sample weight −ℓ′(u) u (1 − u) is how hard one sample pulls on the network at prediction u.",
    "asymmetry ratio": (
        "The asymmetry ratio r, from 0 to 1, is the least share of its first gain that a loss still pays later. "
        "Wrong labels cannot move the minimiser when the clean label is more than 1/r times as likely as any other."
    ),
    "upper ratio": (
        "The upper ratio is the same when only two labels compete. Between the two ratios neither decides alone."
    ),
    "equal shares": (
        "A loss that sums over the classes depends on the whole prediction. Its curve over u shows the predictions "
        "that give the label u and every other class the same share of the rest, (1 − u)/(K − 1) each."
    ),
    "critical noise": (
        "The critical noise rate is the largest share of wrong labels below which the best prediction stays exactly "
        "the clean label."
    ),
    "symmetric noise": "Symmetric noise replaces a label by any of the other classes, all equally likely.",
    "pair noise": "Pair noise replaces a label by one particular other class, always the same for a class.",
    "asymmetric noise": "Asymmetric noise replaces a label by that of a class that looks alike, such as 7 by 1.",
    "instance noise": "Instance noise mislabels some samples more often than others, by what they look like.",
    "no matrix": (
        "Instance noise depends on the sample and not only on its class: it has no matrix, and nothing is proved here."
    ),
    "asymmetric": (
        "A loss is asymmetric on label weights when its weighted minimiser is the one for the heaviest label alone. "
        "Not to be confused with asymmetric noise, nor with the multi-label loss called ASL."
    ),
    "symmetric": (
        "A loss is symmetric when its values over all labels always add up to the same number. "
        "This has nothing to do with f(x) = f(−x)."
    ),
    "completely asymmetric": "A completely asymmetric loss is asymmetric on all weights with one largest entry.",
    "calibrated": "A loss is calibrated when minimising it always ends in predicting a most probable class.",
    "excess risk": ("The excess risk bound turns a small excess of the loss into a small excess of wrong predictions."),
    "noise tolerant": (
        "A loss tolerates a noise when its best prediction on the noisy labels is also its best on the clean ones."
    ),
    "slow start": (
        "Its best prediction is right, but where training starts, at u = 1/K, it pulls with less than 20% of its "
        "largest sample weight and less than 3% of that of CE: training may take very long to find it."
    ),
    "clean label dominates": "The clean label dominates when it stays the most likely label of every class.",
    "margin": (
        "The margin is what the deciding rule compares, positive where the loss tolerates the noise, 0 at the "
        "boundary: for the ratio rule how likely the right label is against the likeliest wrong one, times r, less 1. "
        "Rules differ: compare margins of one rule. A dash: the rule compares no numbers."
    ),
    "mended": (
        "The value of one hyperparameter, the nearest, at which the loss tolerates this noise while the others stay as "
        "they are; its link leads to the proof. A dash: no value within its slider is proved to. Your own losses are "
        "answered at once, the others when asked, which takes about half a minute."
    ),
    "memorisation": "A network memorises a wrong label when it predicts it for the sample that carries it.",
    "noise rate": "The noise rate is the share of training labels that are replaced by wrong ones.",
    "nominal rate": (
        "The nominal rate is the one asked for. Asymmetric noise of 0.4 touches only some classes, so that fewer "
        "labels are wrong overall."
    ),
    "no nominal rate": "The nominal rate is a number that a noise model is asked for; a matrix of one's own has none.",
    "overall rate": "The overall rate is the share of all labels that are wrong, each class counted alike.",
    "preset": "A preset holds the values that the authors of the loss used on a data set.",
    "classroom recipe": "The classroom recipe shows the effect in a minute or so on two cores.",
    "paper recipe": "The paper recipe is the authors' protocol to the letter: hours or days without a GPU.",
    "training samples": "How many of the training samples are used, the same share of every class.",
    "batch": "A batch is how many samples one step of training looks at.",
    "momentum": "Momentum is the share of the last step that is taken again in the next one.",
    "weight decay": "Weight decay pulls every weight a little towards 0 in each step.",
    "schedule": "The schedule says how the learning rate falls over the epochs.",
    "clipping": "A gradient longer than this is shortened to it, so that no single step goes astray.",
    "augmentation": "Moved pictures are harder to memorise: each epoch sees them shifted, mirrored or turned.",
    "learning rate": "The learning rate says how far one step of training moves the network.",
    "equal scale": (
        "With equal gradient scale each loss is divided by the largest sample weight it can give, so that losses are "
        "compared by their shape and not by their learning rate."
    ),
    "best": (
        "The highest point of the curve, which is the mean over the seeds. Nobody can choose its epoch without clean "
        "test labels: the result is the last one."
    ),
    "epoch": "An epoch is one pass through the training data.",
    "seed": "A seed fixes the random numbers: the same seed gives the same run.",
    "band": "The band is one standard deviation to each side of the mean over the seeds.",
    "proved": "Proved: shown by symbolic steps for every parameter in the stated region.",
    "certified": "Certified: shown for these values by interval arithmetic that rounds outward.",
    "observed": "Observed: a dense search found no counterexample, which proves nothing.",
    "refuted": "Refuted: false, with a point that shows it.",
    "undecided": "Undecided: could not be settled in the time given.",
    "not_defined": "Not defined: the question has no meaning for this loss or noise.",
}


def hint(term: str) -> str:
    """The sentence for a term; a word that is not in the glossary is a mistake in the page.

    >>> hint("epoch")
    'An epoch is one pass through the training data.'
    """
    return GLOSSARY[term]


def term(word: str, shown: str = "") -> str:
    """A word in HTML that shows its hint on hover, tap or focus."""
    return f'<span class="alf-term" tabindex="0" data-hint="{GLOSSARY[word]}">{shown or word}</span>'
