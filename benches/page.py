"""Fills the tables of the guide's page on performance, and draws its plot.

    python3 benches/page.py                      about five minutes on an idle machine
    python3 benches/page.py peers growth         these alone

Each table of the page is between two comments, of which the first names the benchmark; what the benchmark prints takes
the place of what was there. Instructions come from `instructions.txt`.
"""

import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
GUIDE = HERE.parent / "src" / "guide"
PAGE = GUIDE / "performance.md"
PLOT = GUIDE / "performance.svg"
BENCHES = ("peers", "growth", "requests")


def main():
    names = sys.argv[1:] or [*BENCHES, "instructions"]
    # The crate includes the page and its plot: everything is built before either changes.
    programs = {name: build(name) for name in BENCHES if name in names}
    with tempfile.TemporaryDirectory() as folder:
        plot = pathlib.Path(folder, PLOT.name)
        options = {"peers": ["--plot", str(plot)]}
        texts = {name: run(program, options.get(name, [])) for name, program in programs.items()}
        if plot.exists():
            PLOT.write_bytes(plot.read_bytes())
    if "instructions" in names:
        texts["instructions"] = instructions()
    page = PAGE.read_text(encoding="utf-8")
    for name, text in texts.items():
        begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            sys.exit(f"{PAGE.name} has no place for {name}")
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{text.strip()}\n\n{end}{rest.split(end)[1]}"
    PAGE.write_text(page, encoding="utf-8")


def build(name):
    command = ["cargo", "bench", "--locked", "--bench", name, "--no-run", "--message-format", "json"]
    command += ["--manifest-path", str(HERE / "Cargo.toml")]
    messages = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    programs = [json.loads(line).get("executable") for line in messages.splitlines()]
    return next(program for program in programs if program)


def run(program, options):
    print(pathlib.Path(program).name)
    output = subprocess.run([program, *options], stdout=subprocess.PIPE, text=True, check=True).stdout
    # The first line is the machine.
    return f"{datetime.date.today().isoformat()}, {output.strip()}"


def instructions():
    lines = (HERE / "instructions.txt").read_text(encoding="utf-8").splitlines()
    key = [line for line in lines if line.startswith("[")][-1]
    counts = [line.split() for line in lines[lines.index(key) + 1:] if re.match(r"[a-z-]+ \d+$", line)]
    head = " | ".join(name for name, _ in counts)
    body = " | ".join(number for _, number in counts)
    return f"| {head} |\n|{'---|' * len(counts)}\n| {body} |\n\nCounted with {key.strip('[]')}."


if __name__ == "__main__":
    main()
