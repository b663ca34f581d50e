"""Shows that the benchmarks' scripts choose, count and write as they say, on numbers made up for it."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import answers  # noqa: E402
import frontier  # noqa: E402
import quality  # noqa: E402
from descent import Descent, Trial  # noqa: E402

GROUPS = 10


def trial(kid, recall=0.8, is_eligible=True, spread=0.0):
    """KID without a group differs by up to `spread`."""
    return Trial({"all": kid, "without_group": [kid + spread * (g % 2) for g in range(GROUPS)]}, recall, is_eligible)


class ADescent(unittest.TestCase):
    def search(self, judged, bounds, start, plain=trial(100, recall=0.5), most_trials=100):
        return Descent(judged, bounds, most_trials).best(start, plain)

    def test_goes_down_along_each_coordinate(self):
        found = self.search(lambda c: trial((c[0] - 7) ** 2 + (c[1] - 2) ** 2), [(1, 9), (0, 5)], [3, 0])
        self.assertEqual(found, (7, 2))

    def test_stays_within_its_bounds(self):
        self.assertEqual(self.search(lambda c: trial(-c[0]), [(1, 4)], [2]), (4,))

    def test_takes_nothing_that_breaks_the_floor(self):
        found = self.search(lambda c: trial(10 - c[0], is_eligible=c[0] <= 3), [(1, 9)], [1])
        self.assertEqual(found, (3,))

    def test_takes_the_larger_recall_where_kid_cannot_tell(self):
        # Differences between trials change sign from group to group, so that a step of 1 is within one standard error.
        def judged(choice):
            kid = 5 - choice[0]
            return Trial({"all": kid, "without_group": [kid + choice[0] * (-1) ** g for g in range(GROUPS)]}, 0.9 - 0.1 * choice[0], True)

        self.assertEqual(self.search(judged, [(1, 3)], [1]), (1,))

    def test_is_nothing_where_plain_full_depth_is_best(self):
        self.assertIsNone(self.search(lambda c: trial(200), [(1, 3)], [2], plain=trial(1)))

    def test_stops_at_its_most_trials(self):
        asked = []
        self.search(lambda c: asked.append(c) or trial(-c[0]), [(1, 99)], [1], most_trials=5)
        self.assertEqual(len(asked), 5)


class AnInterval(unittest.TestCase):
    def test_is_that_of_the_jackknife(self):
        # Leave-one-out means of 0..9 deviate as a tenth of the numbers do, so the standard error is that of their mean.
        numbers = list(range(10))
        without = [(sum(numbers) - n) / 9 for n in numbers]
        self.assertAlmostEqual(frontier.interval(without), 2.262157 * (sum((n - 4.5) ** 2 for n in numbers) / 90) ** 0.5, places=3)

    def test_uses_students_t(self):
        for freedom, expected in ((4, 2.776445), (9, 2.262157), (19, 2.093024)):
            self.assertAlmostEqual(frontier.student_t(freedom), expected, delta=0.004 * expected)


def point(way, budget, cost, kid):
    found = {"steps": budget, "full_evaluations": cost, "frechet": 0.1, "precision": 0.8, "recall": 0.7, "exit_spread": 0.5,
             "kid_groups": {"all": kid, "without_group": [kid + 0.001 * (g % 2) for g in range(GROUPS)]}}
    return {"way": way, "solver": "ddim", "budget": budget, "mse": 0.01 / cost, "found": found}


class ATable(unittest.TestCase):
    def setUp(self):
        points = [point("full depth", n, n, 0.1 / n) for n in (2, 4, 8)]
        points += [point("schedule + guide", 4, 3.9, 0.02), point("adaptive + guide", 4, 4, 0.0125)]
        self.lines = frontier.table(points, "ddim", GROUPS)

    def test_has_no_columns_for_what_was_not_measured(self):
        self.assertNotIn("ms per image", self.lines[2])
        self.assertEqual(len({line.count("|") for line in self.lines[2:9]}), 1)

    def test_reads_gains_from_full_depths_curve(self):
        row = next(line for line in self.lines if "adaptive" in line)
        self.assertIn("2.00 (", row)  # full depth has this KID at 8

    def test_tells_adaptive_from_the_schedule_with_the_same_guide(self):
        self.assertTrue(any("adaptive + guide minus schedule + guide -7.50 " in line for line in self.lines))


class AnAnswer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "program"
        self.write_program(1)

    def write_program(self, value):
        self.program.write_text(f"#!/bin/sh\necho x >> {self.folder}/calls\necho '{json.dumps({'value': value})}'\n", encoding="utf-8")
        self.program.chmod(0o755)

    def calls(self):
        return (self.folder / "calls").read_text(encoding="utf-8").count("x")

    def test_is_asked_for_once(self):
        for _ in range(2):
            self.assertEqual(answers.Answers(self.program, self.folder / "out")("name", "verb", "model", "--steps", 3)["value"], 1)
        self.assertEqual(self.calls(), 1)

    def test_is_asked_for_again_where_a_plan_has_another_content(self):
        plan = self.folder / "a.plan.json"
        for text in ("{}", '{"below": 1}'):
            plan.write_text(text, encoding="utf-8")
            answers.Answers(self.program, self.folder / "out")("name", "verb", "model", "--plan", plan)
        self.assertEqual(self.calls(), 2)

    def test_is_asked_for_again_of_another_program(self):
        ask = lambda: answers.Answers(self.program, self.folder / "out")("name", "verb", "model")["value"]
        self.assertEqual(ask(), 1)
        self.write_program(22)
        self.assertEqual(ask(), 22)


class Pixels(unittest.TestCase):
    def test_of_npy_begin_behind_the_header(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.npy"
            header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"
            path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"ab")
            self.assertEqual(quality.read_pixels(path), b"ab")

    def test_differ_by_their_mean_square(self):
        self.assertEqual(quality.mean_square(b"\x00\xff", b"\x00\x00"), 0.5)


if __name__ == "__main__":
    unittest.main()
