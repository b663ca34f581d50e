"""A descent over whole numbers, one coordinate after the other, by the rules of `adadiff tune --objective kid`."""

from frontier import interval, student_t


class Trial:
    """What was measured of a choice: KID with groups of images left out, recall, and whether budget and floor are kept."""

    def __init__(self, kid_groups, recall, is_eligible):
        self.kid, self.without, self.recall, self.is_eligible = kid_groups["all"], kid_groups["without_group"], recall, is_eligible

    def is_better(self, than):
        if self.is_eligible != than.is_eligible:
            return self.is_eligible
        return self.kid < than.kid if self.is_eligible else self.recall > than.recall

    def is_as_good(self, as_best):
        """Within one standard error."""
        half = interval([a - b for a, b in zip(self.without, as_best.without, strict=True)])
        return self.kid - as_best.kid <= half / student_t(len(self.without) - 1)


class Descent:
    NOTCHES = (-4, 4)  # of weights; at the first one there is no guide

    def __init__(self, judged, bounds, most_trials):
        """judged: a list of numbers -> a Trial, or None where it cannot be tried; bounds: [(low, high)] of each number."""
        self.judged, self.bounds, self.most_trials = judged, bounds, most_trials
        self.known = {}

    @staticmethod
    def weight(notch):
        """What a guide adds grows by half from notch to notch."""
        return round(100 + 80 * 1.5**notch) / 100 if notch > Descent.NOTCHES[0] else 1

    def trial(self, choice):
        choice = tuple(choice)
        if any(not low <= number <= high for number, (low, high) in zip(choice, self.bounds)):
            return None
        if choice not in self.known:
            if sum(trial is not None for trial in self.known.values()) >= self.most_trials:
                return None
            self.known[choice] = self.judged(list(choice))
        return self.known[choice]

    def best(self, start, plain):
        """The choice with the largest recall among those whose KID is within one standard error of the least; None where `plain`, which
        needs no trial, is it."""
        here = list(start)
        while self.trial(here) is None and here[0] > self.bounds[0][0]:
            here[0] -= 1
        while self.trial(here) is not None and self.goes_on(here):
            pass
        trials = [(None, plain)] + [(choice, trial) for choice, trial in self.known.items() if trial is not None]
        eligible = [(choice, trial) for choice, trial in trials if trial.is_eligible]
        least = min(eligible, key=lambda pair: pair[1].kid)[1]
        return max((pair for pair in eligible if pair[1].is_as_good(least)), key=lambda pair: pair[1].recall)[0]

    def goes_on(self, here):
        """One round over all coordinates, each as far as it helps."""
        moved = False
        for coordinate in reversed(range(len(here))):
            for direction in (1, -1):
                helped = False
                while True:
                    there = list(here)
                    there[coordinate] += direction
                    found = self.trial(there)
                    if found is None or not found.is_better(self.trial(here)):
                        break
                    here[:], helped = there, True
                moved = moved or helped
                if helped:
                    break
        return moved
