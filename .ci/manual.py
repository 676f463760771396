#!/usr/bin/env python3
"""Writes the manual pages: one for `crema`, and one for each of its commands, from what the program says of itself.

Usage: manual.py CREMA FOLDER
"""
import json
import pathlib
import subprocess
import sys

EXIT_CODES = [
    ("0", "done; also for --help"), ("1", "failed"), ("2", "usage or configuration"), ("3", "cannot connect"), ("4", "refused"), ("5", "TLS"),
    ("27", "the time given with -W is over"),
]
ENVIRONMENT = [
    ("CREMA_ADMIN", "Address of the admin listener that the inspecting commands ask; http://127.0.0.1:9090 unless set."),
    ("CREMA_ADMIN_TOKEN, CREMA_ADMIN_TOKEN_FILE", "What they show there, or a file that holds it."),
    ("CREMA_LOG_LEVEL", "How much crema serve writes to its log."),
    ("CREMA_…", "Any value of the configuration, its keys in capitals, joined by __: CREMA_LISTENERS__0__BIND. With _FILE at the end the value is read from "
                "the file that is named."),
    ("NO_COLOR", "No colours, also on a terminal."),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "Set by systemd: crema serve says when it serves, reloads and stops, and that it lives."),
]


def text(words):
    """Words as roff takes them: no escape and no request of their own."""
    lines = []
    for line in words.replace("\\", "\\e").replace("-", "\\-").split("\n"):
        lines.append("\\&" + line if line[:1] in (".", "'") else line)
    return "\n".join(lines)


def paragraphs(words):
    return "\n.PP\n".join(text(part.strip()) for part in words.split("\n\n") if part.strip())


def name(entry):
    return ("--" if entry["kind"].startswith("long") else "-") + entry["name"]


def usage(command):
    """The command's synopsis as one line of roff."""
    parts = [f"\\fB{text(' '.join(command.get('superCommands', []) + [command['commandName']]))}\\fR"]
    shown = [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]
    if any(argument["kind"] != "positional" for argument in shown):
        parts.append("[\\fIoptions\\fR]")
    for argument in shown:
        if argument["kind"] == "positional":
            word = f"\\fI{text(argument['valueName'])}\\fR" + ("…" if argument["isRepeating"] else "")
            parts.append(f"[{word}]" if argument["isOptional"] else word)
    if [each for each in command.get("subcommands", []) if each["commandName"] != "help"]:
        parts.append("[\\fIcommand\\fR]")
    return " ".join(parts)


def arguments(command):
    lines = []
    for argument in command.get("arguments", []):
        if not argument.get("shouldDisplay", True):
            continue
        value = f"\\fI{text(argument['valueName'])}\\fR"
        if argument["kind"] == "positional":
            term = value
        else:
            term = ", ".join(f"\\fB{text(name(each))}\\fR" for each in argument["names"])
            if argument["kind"] == "option":
                term += f" {value}"
        words = argument.get("abstract", "")
        if argument.get("defaultValue"):
            words += f" (default: {argument['defaultValue']})"
        lines += [".TP", term, text(words)]
    return "\n".join(lines)


def header(title, version):
    return f'.TH "{title}" 1 "" "crema {version}" "Crema"'


def section(title, body):
    return f".SH {title}\n{body}" if body else ""


def command_page(command, version):
    title = "crema-" + command["commandName"]
    parts = [
        header(title.upper(), version), section("NAME", f"{text(title)} \\- {text(command['abstract'])}"),
        section("SYNOPSIS", usage(command)), section("DESCRIPTION", paragraphs(command.get("discussion", "") or command["abstract"])),
        section("OPTIONS", arguments(command)),
    ]
    subcommands = [each for each in command.get("subcommands", []) if each["commandName"] != "help"]
    if subcommands:
        bodies = []
        for each in subcommands:
            details = [f".SS {text(each['commandName'])}", usage(each), ".PP", text(each["abstract"])]
            if each.get("discussion"):
                details += [".PP", paragraphs(each["discussion"])]
            bodies.append("\n".join(details + [arguments(each)]))
        parts.append(section("COMMANDS", "\n".join(bodies)))
    parts.append(section("SEE ALSO", "\\fBcrema\\fR(1)"))
    return "\n".join(part for part in parts if part) + "\n"


def main_page(command, commands, version):
    def listed(rows):
        return "\n".join(f".TP\n\\fB{text(term)}\\fR\n{text(words)}" for term, words in rows)

    return "\n".join([
        header("CREMA", version), section("NAME", f"crema \\- {text(command['abstract'])}"),
        section("SYNOPSIS", "\\fBcrema\\fR \\fIcommand\\fR [\\fIoptions\\fR]"),
        section("DESCRIPTION", paragraphs(command.get("discussion", "") or command["abstract"])),
        section("COMMANDS", listed([(f"crema-{each['commandName']}(1)", each["abstract"]) for each in commands])),
        section("EXIT STATUS", listed(EXIT_CODES)), section("ENVIRONMENT", listed(ENVIRONMENT)),
        section("SEE ALSO", "\\fBmosquitto_sub\\fR(1), \\fBmosquitto_pub\\fR(1), \\fBsystemctl\\fR(1)"),
    ]) + "\n"


def main():
    crema, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    command = json.loads(subprocess.run([crema, "--experimental-dump-help"], check=True, capture_output=True).stdout)["command"]
    version = subprocess.run([crema, "version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    commands = [each for each in command["subcommands"] if each["commandName"] != "help" and each.get("shouldDisplay", True)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crema.1").write_text(main_page(command, commands, version))
    for each in commands:
        (folder / f"crema-{each['commandName']}.1").write_text(command_page(each, version))
    print(f"{len(commands) + 1} pages in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
