"""What drop in accuracy a clause detects, and how many images that takes.

A worse model is taken to be a further run of the same recipe that loses some of the images which it
would have classified correctly, each with the same probability, which makes their number binomial.
The clause detects it if it loses more images than the run has to spare: its slack. Slacks are
taken to be normally distributed over the runs, so that that of a further run follows Student's t.
The images on which the runs were evaluated and those of the gate are the same, and so the sampling
error of the accuracy itself plays no part: only which images a worse model loses is left to chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from mnist_tasks import stats

FEWEST_IMAGES, MOST_IMAGES = 100, 10_000_000
_ROUNDS = 24  # of bisection: to a tenth of an image among a million
_REACH = 7  # standard deviations, beyond which a binomial distribution is left out


@dataclass(frozen=True, kw_only=True)
class Slack:
    """How many images the runs of a setting could lose before a clause no longer passes.

    Attributes
    ----------
    runs
        Number of runs, at least 2.
    images
        Number of images that the clause is about.
    correct
        How many of them the runs classify correctly, on average.
    mean, deviation
        Of the runs; the deviation is a sample standard deviation, above 0.
    churn
        The part of the variance that comes from images which single runs get right or wrong
        independently of one another, by `churn`; it may exceed the variance by chance.
    tolerance
        The share of images that a further run may lose however many there are; ``None`` if the
        bound is chosen for its false-alarm rate.
    """

    runs: int
    images: int
    correct: float
    mean: float
    deviation: float
    churn: float
    tolerance: float | None = None

    @property
    def scale(self) -> float:
        """The scale of the slack of a further run, from whose mean that of these differs, too."""
        return self.deviation * math.sqrt(1 + 1 / self.runs)

    def below(self, lost: float) -> float:
        """Return the probability that a further run's slack is less than this many images."""
        return stats.student_cdf((lost - 0.5 - self.mean) / self.scale, self.runs - 1)

    def with_images(self, images: int, target_rate: float) -> Slack:
        """Return the slack on another number of images of the same kind.

        Independent errors average out over more images; what makes whole runs better or worse
        doesn't (K. Jordan, "On the variance of neural network training with respect to test sets
        and distributions", ICLR 2024).

        Parameters
        ----------
        target_rate
            False-alarm rate, in (0, 0.5), for which the bound is chosen again.
        """
        factor = images / self.images
        between = max(0.0, self.deviation**2 - self.churn)
        deviation = math.sqrt(between * factor**2 + (self.deviation**2 - between) * factor)
        if self.tolerance is None:
            reach = stats.student_quantile(1 - 2 * target_rate, self.runs - 1)
            mean = reach * replace(self, deviation=deviation).scale - 0.5
        else:
            # The rest is the standard error of a test.
            fixed = self.tolerance * self.images
            mean = fixed * factor + (self.mean - fixed) * math.sqrt(factor)
        return replace(
            self,
            images=images,
            correct=self.correct * factor,
            mean=mean,
            deviation=deviation,
            churn=self.churn * factor,
        )


def detection(slack: Slack, drop: float) -> float:
    """Return the probability that a clause does not pass for a worse model.

    Parameters
    ----------
    drop
        Share of all images that the model loses on average, from 0 to the share that is correct.
    """
    total = round(slack.correct)
    share = min(1.0, drop * slack.images / slack.correct)
    if share in {0.0, 1.0}:
        return slack.below(total * share)
    mean, deviation = total * share, math.sqrt(total * share * (1 - share))
    least = max(0, math.floor(mean - _REACH * deviation) - 1)
    most = min(total, math.ceil(mean + _REACH * deviation) + 9)  # wide of few losses, too
    # Where both distributions are wide, fewer terms give the same sum.
    numbers = range(least, most + 1, max(1, int(min(deviation, slack.scale) / 8)))
    weights = [_binomial(lost, total, share) for lost in numbers]
    detected = (weight * slack.below(lost) for weight, lost in zip(weights, numbers, strict=True))
    return math.fsum(detected) / math.fsum(weights)


def _binomial(count: int, total: int, share: float) -> float:
    """Return the probability of a count."""
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return math.exp(ways + count * math.log(share) + (total - count) * math.log1p(-share))


def detected_drop(slack: Slack, probability: float) -> float | None:
    """Return the least drop, a share of the images, that is detected with this probability.

    ``None`` if not even a model that loses every image is.
    """
    most = slack.correct / slack.images
    if not most or detection(slack, most) < probability:
        return None
    return _least(0.0, most, lambda drop: detection(slack, drop) >= probability)


def images_needed(
    slack: Slack, drop: float, probability: float, *, target_rate: float
) -> int | None:
    """Return how many images it takes to detect a drop with a probability.

    At least `FEWEST_IMAGES`; ``None`` if more than `MOST_IMAGES`, since runs differ too much or
    the clause tolerates the drop.

    Parameters
    ----------
    target_rate
        As in `Slack.with_images`.
    """

    def detects(images: float) -> bool:
        there = slack.with_images(round(images), target_rate)
        return detection(there, drop) >= probability

    if not slack.correct or not detects(MOST_IMAGES):
        return None
    if detects(FEWEST_IMAGES):
        return FEWEST_IMAGES
    exponents = math.log(FEWEST_IMAGES), math.log(MOST_IMAGES)
    return round(math.exp(_least(*exponents, lambda exponent: detects(math.exp(exponent)))))


def _least(low: float, high: float, is_enough: Callable[[float], bool]) -> float:
    """Return the least number that is enough, if `high` and all above that least one are."""
    if is_enough(low):
        return low
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
