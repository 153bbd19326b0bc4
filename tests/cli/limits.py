"""What the system refuses, seen from the shell: limits.py AXMUL.

Outputs that cannot be written, too little memory, temporaries of killed runs, more files than descriptors.
"""
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

AXMUL = sys.argv[1]
FAILED = []


def check(condition, text):
    if not condition:
        FAILED.append(text)
        print("FAILED:", text)


def run(*words, **how):
    how.setdefault("stdout", subprocess.DEVNULL)
    done = subprocess.run([AXMUL, *words], stderr=subprocess.PIPE, text=True, timeout=120, **how)
    return done.returncode, done.stderr


def outputs_that_cannot_be_written(folder):
    library = os.path.join(folder, "lib.h5")
    check(run("library", "build", "drum(k=6)", "exact", "-o", library)[0] == 0, "a library is built")
    table = os.path.join(folder, "t.npy")
    check(run("generate", "drum(k=6)", "-o", table)[0] == 0, "a table is generated")
    commands = [
        ["--version"], ["--help"], ["list", library], ["list", "--formats"], ["info", library], ["characterize", table],
        ["compare", "exact", "exact"], ["compare", "exact", "drum(k=6)"], ["compare", "exact", "drum(k=6)", "--format", "json"],
        ["cost", "drum(k=6)"], ["pareto", library], ["generate", "--list"], ["bench", "--list"],
        ["bench", "--shape", "8,8,8", "--format", "json"], ["reference"]]
    for command in commands:
        with open("/dev/full", "w") as full:
            code, said = run(*command, stdout=full)
        check(code == 4 and "AX1003" in said, f"{command} to a full device: exit {code}, {said!r}")
        reader, writer = os.pipe()
        os.close(reader)
        code, said = run(*command, stdout=writer, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        os.close(writer)
        check(code == 4, f"{command} into a closed pipe: exit {code}, {said!r}")
    code, said = run("convert", table, "-o", "/dev/full", "--format", "bin")
    check(code == 4 and "AX131" in said, f"convert to /dev/full: exit {code}, {said!r}")


def too_little_memory(folder):
    for megabytes in (60, 70, 80, 191):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        for command in (["list", os.path.join(folder, "lib.h5")], ["export", "exact", "-o", os.path.join(folder, "x.h5")]):
            code, said = run(*command, preexec_fn=limit)
            check(code == 5 and "AX1008" in said, f"{command} in {megabytes} MiB: exit {code}, {said!r}")


def temporaries_of_killed_runs(folder):
    target = os.path.join(folder, "made")
    os.mkdir(target)
    output = os.path.join(target, "x.h5")
    words = [AXMUL, "export", os.path.join(folder, "lib.h5"), "-o", output, "--quiet"]
    left = 0
    for _ in range(50):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not os.listdir(target) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        process.kill()
        process.wait()
        left = sum(".tmp-" in name for name in os.listdir(target))
        if left:
            break
        for name in os.listdir(target):
            os.remove(os.path.join(target, name))
    check(left == 1, "a killed run leaves a temporary")
    check(run(*words[1:])[0] == 0, "the next run")
    check(os.listdir(target) == ["x.h5"], f"the next run removes it: {os.listdir(target)}")


def more_files_than_descriptors(folder):
    many = os.path.join(folder, "many")
    os.mkdir(many)
    with open(os.path.join(folder, "lib.h5"), "rb") as library:
        content = library.read()
    for i in range(60):
        with open(os.path.join(many, f"{i}.h5"), "wb") as copy:
            copy.write(content)

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    code, said = run("list", many, preexec_fn=limit)
    check(code == 0, f"list of 60 files with 32 descriptors: exit {code}, {said[:300]!r}")


with tempfile.TemporaryDirectory() as scratch:
    outputs_that_cannot_be_written(scratch)
    too_little_memory(scratch)
    temporaries_of_killed_runs(scratch)
    more_files_than_descriptors(scratch)
sys.exit(1 if FAILED else 0)
