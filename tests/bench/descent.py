"""A descent over whole numbers, one coordinate after the other, as `adadiff tune --objective` does it."""


class Descent:
    NOTCHES = (-4, 4)  # of weights; at the first one there is no guide

    def __init__(self, judged, bounds, most_trials):
        """judged: a list of numbers -> what is to be small, or None where it cannot be tried; bounds: [(low, high)] of each number."""
        self.judged, self.bounds, self.most_trials = judged, bounds, most_trials
        self.known = {}

    @staticmethod
    def weight(notch):
        """What a guide adds grows by half from notch to notch."""
        return round(1 + round(80 * 1.5**notch) / 100, 2) if notch > Descent.NOTCHES[0] else 1

    def value(self, choice):
        choice = tuple(choice)
        if any(not low <= number <= high for number, (low, high) in zip(choice, self.bounds)):
            return None
        if choice not in self.known:
            if sum(value is not None for value in self.known.values()) >= self.most_trials:
                return None
            self.known[choice] = self.judged(list(choice))
        return self.known[choice]

    def best(self, start):
        here = list(start)
        while self.value(here) is None and here and here[0] > self.bounds[0][0]:
            here[0] -= 1  # fewer steps, which the budget pays for
        while self.goes_on(here):
            pass
        return min((value, choice) for choice, value in self.known.items() if value is not None)[1]

    def goes_on(self, here):
        """One round over all coordinates, each as far as it helps."""
        moved = False
        for coordinate in reversed(range(len(here))):
            for direction in (1, -1):
                helped = False
                while True:
                    there = list(here)
                    there[coordinate] += direction
                    value = self.value(there)
                    if value is None or value >= self.value(here):
                        break
                    here[:], helped = there, True
                moved = moved or helped
                if helped:
                    break
        return moved
