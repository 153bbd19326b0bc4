#!/usr/bin/python3
"""Completion and manual pages: bash completes what the tables say, man formats every page. completion_test.py AXMUL"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AXMUL = sys.argv[1]


def axmul(*words):
    return subprocess.run([AXMUL, *words], capture_output=True, text=True, check=True).stdout


def completed(script, *words):
    """What bash offers for the last word."""
    line = f"source {script}; COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; _axmul; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.split()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for shell in ("bash", "zsh", "fish"):
            (folder / shell).write_text(axmul("reference", "--format", shell))
            if shutil.which(shell):
                subprocess.run([shell, "-n", folder / shell], check=True)
        bash = folder / "bash"
        assert "characterize" in completed(bash, "axmul", "char")
        assert completed(bash, "axmul", "plot", "heat") == ["heatmap"]
        assert completed(bash, "axmul", "library", "bu") == ["build"]
        assert completed(bash, "axmul", "characterize", "--aga") == ["--against"]
        assert set(completed(bash, "axmul", "characterize", "--format", "")) == {"table", "json", "csv", "h5"}
        assert completed(bash, "axmul", "plot", "run", "--show", "c") == ["curves"]
        assert completed(bash, "axmul", "help", "dist") == ["distributions"]
        # every option of the help is completed
        for command in ("characterize", "predict", "cost"):
            known = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", axmul(command, "--help"), re.M))
            assert known <= set(completed(bash, "axmul", command, "--")) | {"--help"}, command
        axmul("reference", "--format", "man", "-o", folder / "man1")
        pages = sorted((folder / "man1").glob("*.1"))
        assert len(pages) >= 25 and (folder / "man1/axmul-plot-heatmap.1").exists(), pages
        if shutil.which("groff"):
            for page in pages:
                done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True)
                assert not done.stderr, (page.name, done.stderr[:300])
            text = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", folder / "man1/axmul-characterize.1"], capture_output=True,
                                  text=True).stdout
            assert "against" in text and "EXIT STATUS" in text
    print("ok")


main()
