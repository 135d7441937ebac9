"""How long the missing cells of a table take here, and which of them can be started for the night."""

from dataclasses import dataclass

from alf.runs.estimate import about, seconds_needed
from alf.runs.reproduction import NIGHT, Table
from alf.runs.store import Store
from alf.settings import Settings
from alf.training.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """What is to be done for a table.

    Attributes
    ----------
    recipes
        What trains all that is missing.
    seconds, rough
        How long that takes on this machine, and whether this is a rough estimate.
    fitting
        What can be started here: it ends within a night, and no more runs than one reader may have.
    """

    recipes: tuple[Recipe, ...]
    seconds: float
    rough: bool
    fitting: tuple[Recipe, ...]

    @property
    def too_long(self) -> bool:
        """Whether this machine cannot do it in a night."""
        return self.seconds > NIGHT

    def cells(self, recipes: tuple[Recipe, ...]) -> int:
        """How many cells some recipes are."""
        return sum(len(recipe.losses) * len(recipe.noise) for recipe in recipes)

    @property
    def words(self) -> str:
        """The estimate as a sentence."""
        if not self.recipes:
            return "Nothing is missing."
        count, networks = self.cells(self.recipes), sum(len(recipe.lanes) for recipe in self.recipes)
        what = f"{count} missing cell{'s' if count > 1 else ''} ({networks} network{'s' if networks > 1 else ''})"
        time = in_words(self.seconds)
        guess = "by a rough estimate " if self.rough else ""
        night = ""
        if self.too_long:
            now = self.cells(self.fitting)
            fit = f"{now} of them {'fits' if now == 1 else 'fit'}" if now else "not one of them fits"
            night = f" That is more than a night; {fit} into one."
        return f"The {what} take {guess}{time} on this machine.{night}"


def in_words(seconds: float) -> str:
    """A time that may be very long.

    >>> in_words(7200), in_words(30 * 86400.0)
    ('about 2 h', 'about 30 days')
    """
    return about(seconds) if seconds < 2 * 86400 else f"about {seconds / 86400:.0f} days"


def plan(table: Table, store: Store, settings: Settings, device: str = "auto") -> Plan:
    """Estimate what is missing of a table, and choose what this machine can do of it in a night."""
    recipes = table.missing(settings.max_lanes, device)
    needed = [seconds_needed(store, recipe, settings.workers) for recipe in recipes]
    left = NIGHT
    fitting: list[Recipe] = []
    for recipe, estimate in zip(recipes, needed, strict=True):
        part = _part(recipe, left / estimate.seconds if estimate.seconds else 1.0)
        if part is None or len(fitting) == settings.max_per_owner:
            break
        fitting.append(part)
        left -= estimate.seconds * len(part.lanes) / len(recipe.lanes)
        if part != recipe:
            break
    return Plan(recipes, sum(one.seconds for one in needed), any(one.rough for one in needed), tuple(fitting))


def _part(recipe: Recipe, share: float) -> Recipe | None:
    """As much of a recipe as a share of its time allows: whole rows, otherwise a part of the first, or None."""
    if share >= 1:
        return recipe
    if rows := int(share * len(recipe.losses)):
        return recipe.with_(losses=recipe.losses[:rows])
    columns = int(share * len(recipe.losses) * len(recipe.noise))
    return recipe.with_(losses=recipe.losses[:1], noise=recipe.noise[:columns]) if columns else None
