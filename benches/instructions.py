"""Counts the instructions of one request of each kind, and compares them with what was recorded.

    python3 benches/instructions.py

valgrind counts, so the machine's load changes nothing. Each row runs twice, and the difference of the two runs is divided by
that of their numbers: what is done once, at the start, falls out. A count depends on compiler, valgrind and the features of
the processor, because libraries choose their code by them. Records are kept for each such key in `instructions.txt`; where
there is none, the record is printed for whoever wants to add it, and nothing has failed.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

RECORDS = pathlib.Path(__file__).with_name("instructions.txt")
BYTES = 256
TIMES = (100, 300)
TOLERANCE = 0.03
ROWS = {
    "seal": "typed value → `Set-Cookie`",
    "open": "header → typed value",
    "typical": "open, read one, change one, commit",
    "refuse": "forged, whole request",
    "never-asks": "never asks for its session",
}
# By which `aes`, `polyval`, `sha2`, `memchr`, `base64` and the C library choose. Valgrind has no AVX-512 and no SHA instructions,
# whatever the processor has; a later one may.
FEATURES = ("aes", "avx2", "bmi2", "erms", "pclmulqdq", "sha_ni", "vaes")


def main():
    program = build()
    key = key_of_this_machine()
    counted = {name: count(program, row) for name, row in ROWS.items()}
    recorded = read_records().get(key)
    if recorded is None:
        print(f"instructions: no record for this machine; please add to benches/{RECORDS.name}:\n")
        print(f"[{key}]")
        for name, number in counted.items():
            print(f"{name} {number}")
        return
    is_good = True
    for name, number in counted.items():
        before = recorded.get(name)
        change = (number - before) / before if before else float("inf")
        within = abs(change) <= TOLERANCE
        is_good &= within
        print(f"instructions: {name} {number}, recorded {before}, {change:+.1%}{'' if within else ': NOT within 3 %'}")
    if not is_good:
        print(f"\nIf the change is meant, record it in benches/{RECORDS.name}:\n\n[{key}]")
        for name, number in counted.items():
            print(f"{name} {number}")
        sys.exit(1)


def build():
    """The program of `cargo bench --bench peers`."""
    command = ["cargo", "bench", "--locked", "--bench", "peers", "--no-run", "--message-format", "json"]
    messages = output(*command, "--manifest-path", str(RECORDS.with_name("Cargo.toml")))
    programs = [json.loads(line).get("executable") for line in messages.splitlines()]
    return next(program for program in programs if program)


def key_of_this_machine():
    compiler = output("rustc", "--version").split()[1]
    valgrind = output("valgrind", "--version").strip()
    library = output("getconf", "GNU_LIBC_VERSION").strip().replace(" ", "-")
    information = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    flags = re.search(r"^flags\s*:(.*)$", information, re.MULTILINE)
    flags = set(flags[1].split()) if flags else set()
    return " ".join(["rustc-" + compiler, valgrind, library, *(name for name in FEATURES if name in flags)])


def count(program, row):
    """Instructions of one request."""
    few, many = (total(program, row, times) for times in TIMES)
    return round((many - few) / (TIMES[1] - TIMES[0]))


def total(program, row, times):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        command += [program, "--only", row, str(BYTES), str(times)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        collected = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode != 0 or not collected:
            sys.exit(f"instructions: {row}: {run.stderr[-2000:]}")
        return int(collected[1])


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def read_records():
    records, current = {}, None
    for line in RECORDS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = records.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, number = line.split()
            current[name] = int(number)
    return records


if __name__ == "__main__":
    main()
