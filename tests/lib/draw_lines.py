"""Draws lines of the sources at random, to see whether a stranger who knows only the names of the files finds their rooms.

    python3 tests/lib/draw_lines.py 7          24 lines, drawn with the seed 7
    python3 tests/lib/draw_lines.py 7 --rooms  the same with the room of each

A line is one that says something: no comment, no import, no test, and 30 characters or more.
"""

import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNT = 24


def main():
    lines = sorted(drawable())
    drawn = random.Random(int(sys.argv[1])).sample(lines, COUNT)
    for number, (path, _, text) in enumerate(drawn, 1):
        print(f"{number}. {text}" + (f"    [{path}]" if "--rooms" in sys.argv else ""))


def drawable():
    for folder in (ROOT / "src", *(ROOT / "crates").glob("*/src")):
        for path in folder.rglob("*.rs"):
            name = str(path.relative_to(ROOT))
            if re.search(r"(\w*_tests|tests|vectors|brute_force|test_folder|data_test_model)(/|\.rs)", name):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
                text = line.strip()
                if text == "#[cfg(test)]":
                    break
                if len(text) >= 30 and not re.match(r"//|#!?\[|(pub(\(.*?\))? )?use |mod |extern ", text):
                    yield name, number, text


if __name__ == "__main__":
    main()
