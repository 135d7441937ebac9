"""Maps that tests draw at random: of every pair of kinds of axis, few and many losses and seeds."""

from alf.phase import PhaseMap, parse_axis
from alf.training import Recipe

AXES = {
    "a": "a=0.05:6:{}:log",
    "q": "q=0.2:0.9:{}",
    "noise": "noise=0.1:0.8:{}",
    "lr": "lr=0.01:1:{}:log",
    "samples": "samples=100:1400:{}",
}
FAMILIES = ("agce:a=1,q=0.5", "nce+agce:alpha=1,beta=4,a=6,q=0.5", "formula:(1-u)**(q+a/9);q=0.5[0.2,0.9],a=1[0.05,6]")


def any_map(random, most=14):
    """A random map."""
    x, y = random.sample(sorted(AXES), 2)
    losses = random.sample(FAMILIES, random.randint(1, 3))
    seeds = tuple(random.sample(range(100), random.choice((1, 1, 2, 3, 7, 50))))
    recipe = Recipe(data="digits", losses=tuple(losses), noise=("symmetric:0.3",), seeds=seeds, network="mlp:8")
    return PhaseMap(recipe, *(parse_axis(AXES[kind].format(random.randint(3, most))) for kind in (x, y)))
