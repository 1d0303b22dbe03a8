"""How many models were compared on the test images, in words."""

from __future__ import annotations

from mnist_tasks.look_counts import Looks
from mnist_tasks.reporting import formatting


def sentences(looks: Looks | None) -> str:
    """Return how many models were compared, and what that does to the best; empty for one model.

    >>> found = Looks(models=17, recipes=3, from_elsewhere=0, images=10_000, flattery_points=0.158)
    >>> print(sentences(found))
    17 models of 3 recipes were evaluated on these 10,000 test images. The best of 17 equally good \
models is expected to look at most 0.16 points better than it is.
    """
    if looks is None or looks.models < 2:
        return ""
    models = f"{looks.models:,} models"
    recipes = f"of {formatting.plural(looks.recipes, 'recipe')}"
    if not looks.from_elsewhere:
        models += f" {recipes}"
    elif looks.recipes:
        models += f", {recipes} and {looks.from_elsewhere:,} from elsewhere,"
    found = f"{models} were evaluated on these {looks.images:,} test images."
    points = f"{looks.flattery_points:.2f}"
    if not float(points):
        return found
    return (
        f"{found} The best of {looks.models:,} equally good models is expected to look at most "
        f"{points} points better than it is."
    )
