"""Fills the tables of the guide's page on performance, and draws its plot.

    python3 benches/page.py                      about five minutes on an idle machine
    python3 benches/page.py peers growth         these alone

Each table of the page stands between two comments, of which the first names the benchmark; what the benchmark prints takes
the place of what stood there. Instructions come from `instructions.txt`.
"""

import datetime
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
GUIDE = HERE.parent / "src" / "guide"
PAGE = GUIDE / "performance.md"
PLOT = GUIDE / "performance.svg"
OPTIONS = {"peers": ["--plot", str(PLOT)], "growth": [], "requests": []}


def main():
    for name in sys.argv[1:] or [*OPTIONS, "instructions"]:
        text = instructions() if name == "instructions" else bench(name)
        page = PAGE.read_text(encoding="utf-8")
        begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            sys.exit(f"{PAGE.name} has no place for {name}")
        before, rest = page.split(begin)
        after = rest.split(end)[1]
        PAGE.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
        print(f"{PAGE.name}: {name}")


def bench(name):
    command = ["cargo", "bench", "--quiet", "--manifest-path", str(HERE / "Cargo.toml"), "--bench", name, "--"]
    run = subprocess.run(command + OPTIONS[name], stdout=subprocess.PIPE, text=True, check=True)
    today = datetime.date.today().isoformat()
    # The first line is the machine.
    return f"{today}, {run.stdout.strip()}"


def instructions():
    lines = (HERE / "instructions.txt").read_text(encoding="utf-8").splitlines()
    key = [line for line in lines if line.startswith("[")][-1]
    counts = [line.split() for line in lines[lines.index(key) + 1:] if re.match(r"[a-z-]+ \d+$", line)]
    head = " | ".join(name for name, _ in counts)
    body = " | ".join(number for _, number in counts)
    return f"| {head} |\n|{'---|' * len(counts)}\n| {body} |\n\nCounted with {key.strip('[]')}."


if __name__ == "__main__":
    main()
