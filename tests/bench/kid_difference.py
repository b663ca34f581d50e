#!/usr/bin/env python3
"""The difference in KID x 1000 between two evaluations on the same noise, with its 95 % interval.

    adadiff evaluate ... --groups 20 --json > a.json
    adadiff evaluate ... --groups 20 --json > b.json
    kid_difference.py a.json b.json
"""

import argparse
import json
import pathlib

from frontier import interval


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", help="what `adadiff evaluate --groups G --json` printed")
    parser.add_argument("second", help="the same, of another plan; samples, seed, reference and G must be equal")
    arguments = parser.parse_args()
    first, second = (json.loads(pathlib.Path(path).read_text(encoding="utf-8")) for path in (arguments.first, arguments.second))
    for key in ("samples", "seed", "references", "features"):
        if first[key] != second[key]:
            parser.error(f"{key} must be equal, but is {first[key]} and {second[key]}")
    a, b = first["kid_groups"], second["kid_groups"]
    half = interval([x - y for x, y in zip(a["without_group"], b["without_group"], strict=True)])
    print(f"{1000 * a['all']:.2f} - {1000 * b['all']:.2f} = {1000 * (a['all'] - b['all']):+.2f} +- {1000 * half:.2f}")


if __name__ == "__main__":
    main()
