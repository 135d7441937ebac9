"""Every technical word a page uses, explained once, in a sentence a newcomer understands."""

import html

GLOSSARY = {
    "u": "u is the probability the network gives to the label of a sample, between 0 and 1.",
    "K": "K is the number of classes the network chooses between.",
    "1/K": "1/K is the probability an untrained network gives to every class: training starts there.",
    "protocol": (
        "A protocol is everything about training but the loss, the noise and the seeds: network, epochs, samples, "
        "optimiser. Two accuracies are comparable where it is the same."
    ),
    "reproduced": (
        "A published number is reproduced when the whole protocol was run with at least three seeds, and the means are "
        "at most twice √(s² + t²) apart, where s and t are the standard deviations of single runs, ours and theirs."
    ),
    "not reproduced": (
        "A number is not reproduced when the whole protocol was run with at least three seeds, and the means are "
        "further apart than twice √(s² + t²), where s and t are the standard deviations of single runs."
    ),
    "loss": "A loss says how much a prediction costs; training makes it small.",
    "derivative": "The derivative is the slope of the loss: how much the loss falls when u grows a little.",
    "sample weight": "The sample weight −ℓ′(u) u (1 − u) is how strongly one sample moves the network at prediction u.",
    "asymmetry ratio": (
        "The asymmetry ratio r, from 0 to 1, compares steps of the same length in u: the least fall of the loss over a "
        "step from any u, divided by its fall over the step from u = 0. The best prediction stays the clean label if "
        "that label is more than 1/r times as likely as every other label."
    ),
    "upper ratio": (
        "The upper ratio is the asymmetry ratio for steps that end at u = 1 only: it decides where two labels share "
        "all the probability. A noise that fits the upper ratio but not the asymmetry ratio needs a closer search."
    ),
    "equal shares": (
        "A loss that sums over the classes depends on the whole prediction. Its curve over u shows the predictions "
        "that give the label u and every other class the same share of the rest, (1 − u)/(K − 1) each."
    ),
    "critical noise": (
        "As long as the noise rate is below the critical noise rate, the best prediction is exactly the clean label."
    ),
    "symmetric noise": "Symmetric noise replaces a label by any of the other classes, all equally likely.",
    "pair noise": "Pair noise replaces a label by one particular other class, always the same for a class.",
    "asymmetric noise": "Asymmetric noise replaces a label by that of a class that looks alike, such as 7 by 1.",
    "instance noise": "Instance noise mislabels some samples more often than others, depending on what they look like.",
    "no matrix": (
        "Instance noise depends on the sample and not only on its class: it has no matrix, and nothing is proved here."
    ),
    "asymmetric": (
        "A loss is asymmetric on given label weights when its best prediction under these weights is also its best "
        "for the label with the largest weight alone. "
        "Not to be confused with asymmetric noise, nor with the multi-label loss called ASL."
    ),
    "symmetric": (
        "A loss is symmetric when its values over all labels always add up to the same number. "
        "This has nothing to do with f(x) = f(−x)."
    ),
    "completely asymmetric": "A completely asymmetric loss is asymmetric on all weights with one largest entry.",
    "calibrated": "A loss is calibrated when its best prediction always names a most probable class.",
    "excess risk": (
        "The excess risk bound says: a loss close to its minimum means a share of wrong predictions close to "
        "its minimum."
    ),
    "noise tolerant": (
        "A loss tolerates a noise when its best prediction on the noisy labels is also its best on the clean ones."
    ),
    "slow start": (
        "The best prediction of this loss is right, but where training starts, at u = 1/K, its sample weight is less "
        "than 20% of its largest and less than 3% of that of CE: training may take very long."
    ),
    "clean label dominates": "The clean label dominates when it stays the most likely label of every class.",
    "margin": (
        "The margin tells how far the loss is from the boundary of the rule that decided: above 0 where the loss "
        "tolerates the noise, 0 at the boundary. For the ratio rule it is r times the probability of the right label, "
        "divided by that of the likeliest wrong label, minus 1. Compare margins of the same rule only. A dash: this "
        "rule compares no numbers."
    ),
    "suggestion": (
        "The nearest value of one hyperparameter with which the loss tolerates this noise, the other hyperparameters "
        "as they are. The link leads to the proof. A dash: this is proved for no value on a slider. Your own losses "
        "are answered at once, the others after you ask for suggestions: that takes about half a minute."
    ),
    "memorisation": "A network has memorised a wrong label when it predicts that label for the sample.",
    "trapped": (
        "A model is trapped when it never predicts some of the classes and its accuracy no longer rises: samples of "
        "these classes have almost no gradient left that could bring the classes back."
    ),
    "starving": (
        "A loss starves when its gradients are so small that training hardly moves the network, although there is "
        "still much to learn."
    ),
    "diverged": "A model has diverged when its loss, its gradient or its weights are no longer finite numbers.",
    "noise rate": "The noise rate is the share of training labels that are replaced by wrong ones.",
    "nominal rate": (
        "The nominal rate is the noise rate that you set. Asymmetric noise of 0.4 changes labels of some classes only, "
        "so fewer than 40% of all labels are wrong."
    ),
    "no nominal rate": "The nominal rate is the noise rate that you set; a matrix of your own has none.",
    "overall rate": "The overall rate is the share of all labels that are wrong, each class counted alike.",
    "preset": "A preset holds the values that the authors of the loss used on a data set.",
    "classroom recipe": "The classroom recipe shows the effect in a minute or so on two cores.",
    "paper recipe": "The paper recipe is exactly the authors' protocol: it takes hours or days without a GPU.",
    "training samples": "How many training samples are used: the same share of every class.",
    "batch": "A batch is how many samples one step of training looks at.",
    "momentum": "Momentum is the share of the last step that is added to the next step.",
    "weight decay": "Weight decay moves every weight of the network a little towards 0 in each step.",
    "schedule": "The schedule says how the learning rate falls over the epochs.",
    "clipping": "A gradient longer than this is shortened to this length, so that no single step is too large.",
    "augmentation": (
        "In each epoch the pictures are shifted, mirrored or turned by chance: moved pictures are harder to memorise."
    ),
    "learning rate": "The learning rate says how far one step of training moves the network.",
    "equal scale": (
        "With equal gradient scale each loss is divided by the largest sample weight it can give, so that losses are "
        "compared by their shape and not by their learning rate."
    ),
    "best": (
        "The highest point of the curve, which is the mean over the seeds. Without clean test labels nobody can know "
        "its epoch, so the result is the accuracy at the last epoch."
    ),
    "epoch": "An epoch is one pass through the training data.",
    "seed": "A seed fixes the random numbers: the same seed gives the same run.",
    "band": "The band is one standard deviation to each side of the mean over the seeds.",
    "axis": "What changes from cell to cell in this direction; all else is the same.",
    "axis as text": (
        "The whole axis, as links and the command line have it: a=0.05:6:12:log are 12 values from 0.05 to 6, evenly "
        "spaced in the logarithm; a=0.1,0.5,2 are just these."
    ),
    "logarithmic": "Values that grow by the same factor from one to the next, not by the same step.",
    "map losses": (
        "Each loss is a map of its own, with the same colours. Type a formula to add yours; a hyperparameter that an "
        "axis can change has its domain in brackets: exp(-u/a);a=2[1,9]."
    ),
    "proved": "Proved: shown by symbolic steps for all hyperparameters in the stated region.",
    "certified": "Certified: shown for these hyperparameters by interval arithmetic that rounds outward.",
    "observed": "Observed: a dense search found no counterexample. This is not a proof.",
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
    return hinted(shown or word, GLOSSARY[word])


def hinted(shown: str, hint: str, address: str = "") -> str:
    """HTML that shows a hint, and leads to a page where an address is given.

    >>> hinted("Sum rule", "R < 1")
    '<span class="alf-term" tabindex="0" data-hint="R &lt; 1">Sum rule</span>'
    """
    hint = html.escape(hint)
    if address:
        return f'<a class="alf-term" href="{html.escape(address)}" target="_blank" data-hint="{hint}">{shown}</a>'
    return f'<span class="alf-term" tabindex="0" data-hint="{hint}">{shown}</span>'
