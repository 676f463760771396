#!/usr/bin/env python3
"""Where the statements of the MQTT standards are enforced and tested.

Usage: statements.py [ID…]    file:line for these statements, or for all. MQTT-3.3.2-2 is of MQTT 3.1.1, MQTT5-3.3.2-2 of MQTT 5
       statements.py --open   the statements that the tables call "not yet"
       statements.py --fill   writes into the tables which files carry each id; a row "not yet" that has both becomes "enforced"

The tables are Sources/MQTTCodec/Documentation.docc/Conformance-*.md; Tests/TidyTests compares them with the code.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = sorted((ROOT / "Sources/MQTTCodec/Documentation.docc").glob("Conformance-*.md"))
STATEMENT = re.compile(r"MQTT5?-\d+\.\d+\.\d+-\d+")
CODE = {".swift", ".json", ".py"}
# Clients of the broker, and the checks themselves: neither keeps a statement for it.
ASIDE = ("Sources/LoadGenerator/", "Tests/TidyTests/", "Tests/LoadGeneratorTests/")


def places():
    """Each id with every (path, line) that carries it."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "Sources", "Tests"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for path in sorted(set(listing)):
        file = ROOT / path
        if file.suffix not in CODE or path.startswith(ASIDE) or not file.exists():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for statement in STATEMENT.findall(line):
                found.setdefault(statement, []).append((path, number))
    return found


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows(table):
    for line in table.read_text(encoding="utf-8").splitlines():
        if line.startswith("| MQTT"):
            yield cells(line)


def fill(table, found):
    lines = []
    for line in table.read_text(encoding="utf-8").splitlines():
        if line.startswith("| MQTT"):
            row = cells(line)
            carried = {path for path, _ in found.get(row[0], [])}
            sources, tests = (
                " ".join(f"`{path.removeprefix(top)}`" for path in sorted(carried) if path.startswith(top))
                for top in ("Sources/", "Tests/"))
            if sources and tests and row[3] in ("not yet", "not offered"):
                row[3] = "enforced"
            row[4:6] = [sources, tests] if row[3] == "enforced" else ["", ""]
            line = "|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|"
        lines.append(line)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if arguments == ["--open"]:
        for table in TABLES:
            for row in rows(table):
                if row[3] == "not yet":
                    print(f"{row[0]}: {row[2]}")
        return 0
    found = places()
    if arguments == ["--fill"]:
        for table in TABLES:
            fill(table, found)
        return 0
    wanted = arguments or sorted(found, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
    missing = [name for name in wanted if name not in found]
    for name in wanted:
        for path, line in found.get(name, []):
            print(f"{path}:{line}: {name}")
    for name in missing:
        print(f"{name}: no line carries it", file=sys.stderr)
    return 1 if missing else 0


sys.exit(main(sys.argv[1:]))
