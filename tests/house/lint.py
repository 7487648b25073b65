#!/usr/bin/env python3
"""./dev lint: clang-tidy, qmllint and the house rules, in parallel.

A file that passed is remembered by the hash of everything that can change the verdict (the file, the project headers
it includes, the flags, the rules), so an unchanged file is not linted twice. Without arguments it lints what differs
from main; --all lints everything, in the batches in which it is compiled: most of the time goes into headers.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "lint"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)
QMLLINT = "/usr/lib/qt6/bin/qmllint"


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def tracked_files():
    """Every file of the checkout, new ones included."""
    present = set(output_of("git", "ls-files", "--cached", "--others", "--exclude-standard").split("\n")) - {""}
    return sorted(f for f in present if (ROOT / f).is_file())


def changed_files():
    base = subprocess.run(["git", "merge-base", "HEAD", "main"], cwd=ROOT, capture_output=True, text=True)
    commit = base.stdout.strip() or "HEAD"
    names = output_of("git", "diff", "--name-only", "--diff-filter=d", commit).split("\n")
    return [n for n in names + output_of("git", "ls-files", "--others", "--exclude-standard").split("\n") if n]


def project_headers(source, seen=None):
    """The project's own headers that a file includes, directly or through others."""
    seen = set() if seen is None else seen
    for name in INCLUDE.findall((ROOT / source).read_bytes()):
        header = name.decode(errors="replace")
        if header not in seen and (ROOT / header).is_file():
            seen.add(header)
            project_headers(header, seen)
    return seen


def digest(parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def unity_members(file):
    """The sources that a translation unit made by CMake's UNITY_BUILD includes; else the file itself."""
    if "/Unity/unity_" not in file or not Path(file).exists():
        return [file]
    return re.findall(r'#include "([^"]+)"', Path(file).read_text())


def write_database(build, folder):
    """The compile commands, less what clang does not know: GCC's precompiled headers and coroutine flags. Of batches
    and of their members. Also says in which batch a source is compiled."""
    entries, batch_of = [], {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        for source in unity_members(entry["file"]):
            entries.append({**entry, "file": source, "command": entry["command"].replace(entry["file"], source)})
            if source != entry["file"]:
                batch_of[os.path.relpath(source, ROOT)] = os.path.relpath(entry["file"], ROOT)
                entries.append(entry)
    for entry in entries:
        command = re.sub(r"-include \S*cmake_pch\.hxx", "", entry["command"])
        command = re.sub(r"-(Winvalid-pch|fcoroutines|fpch-preprocess)\b", "", command)
        entry["command"] = re.sub(r"^\S*ccache ", "", command)
    folder.mkdir(parents=True, exist_ok=True)
    # Kernels are compiled once per instruction set; the first, portable, is linted (intrinsics' headers take minutes).
    entries = list({e["file"]: e for e in reversed(entries)}.values())
    (folder / "compile_commands.json").write_text(json.dumps(entries))
    return {os.path.relpath(e["file"], ROOT): e["command"] for e in entries}, batch_of


def tidy(source, command, database):
    rules = (ROOT / ".clang-tidy").read_bytes()
    headers = sorted(project_headers(source))
    key = digest([rules, command.replace(str(ROOT), "").encode(), *((ROOT / f).read_bytes() for f in [source, *headers])])
    mark = CACHE / key
    if mark.exists():
        return source, "cached", ""
    run = subprocess.run(["clang-tidy-14", "--quiet", "-p", str(database), source], cwd=ROOT, capture_output=True, text=True)
    if run.returncode == 0:
        mark.touch()
        return source, "passed", ""
    problems = "\n".join(line for line in run.stdout.split("\n") if line.strip())
    return source, "failed", problems or run.stderr


def qml(source):
    settings = ROOT / "gui" / ".qmllint.ini"
    key = digest([(ROOT / source).read_bytes(), settings.read_bytes() if settings.exists() else b""])
    mark = CACHE / key
    if mark.exists():
        return source, "cached", ""
    run = subprocess.run([QMLLINT, "-I", str(ROOT / "build" / "dev" / "gui"), source], cwd=ROOT, capture_output=True, text=True)
    if run.returncode == 0:
        mark.touch()
        return source, "passed", ""
    return source, "failed", run.stdout + run.stderr


def choose(args):
    if args.files:
        return args.files
    files = tracked_files()
    if args.all:
        return files
    changed = set(changed_files())
    return [f for f in files if f in changed]


def run_all(tasks, jobs):
    """Runs (function, arguments) tasks and prints what failed; returns the number of each verdict."""
    counts = {"passed": 0, "cached": 0, "failed": 0}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for source, verdict, text in pool.map(lambda task: task[0](*task[1:]), tasks):
            counts[verdict] += 1
            if verdict == "failed":
                print(f"lint: {source}\n{text}\n", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(prog="./dev lint")
    parser.add_argument("--build", default="build/dev", type=Path)
    parser.add_argument("--jobs", default=os.cpu_count(), type=int)
    parser.add_argument("--all", action="store_true", help="every file, not only what differs from main")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()

    CACHE.mkdir(parents=True, exist_ok=True)
    database = ROOT / "build" / "lint"
    commands, batch_of = write_database(ROOT / args.build, database)
    files = choose(args)
    sources = [f for f in files if f.endswith(".cpp") and f in commands]
    if args.all:
        sources = sorted({batch_of.get(f, f) for f in sources})
    tasks = [(tidy, f, commands[f], database) for f in sources]
    tasks += [(qml, f) for f in files if f.endswith(".qml")]
    counts = run_all(tasks, args.jobs)
    print(f"lint: {counts['passed']} passed, {counts['cached']} unchanged since they passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
