"""Running axmul from tests, its train commands in a process that stays."""
import atexit
import json
import subprocess
import threading
from pathlib import Path


class Server:
    """Commands of axmul-train by one process that stays: see command_server.cpp."""

    def __init__(self, program):
        self.path = Path(program).resolve().with_name("axmul_command_server")
        self.process = None

    def run(self, words, timeout):
        if self.process is None:
            self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            atexit.register(self.stop)
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        self.process.stdin.flush()
        line = self.line(words, timeout)
        if not line:  # it died: so would axmul-train have
            code = self.process.wait()
            self.process = None
            return subprocess.CompletedProcess(words, code, "", "")
        reply = json.loads(line)
        return subprocess.CompletedProcess(words, reply["code"], reply["out"], reply["err"])

    def line(self, words, timeout):
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        if not timer.is_alive():
            raise subprocess.TimeoutExpired(words, timeout)
        timer.cancel()
        return line

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


SERVERS = {}


def train(program, *words, timeout=300):
    """One command of axmul-train, finished, by the server that lies beside the program."""
    return SERVERS.setdefault(program, Server(program)).run([str(word) for word in words], timeout)


def run(program, *words, timeout=300):
    """One command of axmul, finished."""
    words = [str(word) for word in words]
    if words[0] == "train":
        return train(program, *words[1:], timeout=timeout)
    return subprocess.run([program, *words], capture_output=True, text=True, errors="replace", timeout=timeout)
