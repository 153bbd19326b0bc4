#!/usr/bin/python3
"""Fails when a page or a comment refers to what is not there: check_references.py SOURCE_DIR.

Pages (*.md): links, and paths in back-ticks or code blocks. A path starts at the top of the tree
(`src/core/lut.cpp`), at the include folder (`axmul/core/lut.hpp`), or is a name in a folder of the
page's own layer (`lut.hpp` on a page of src/core: there, below, in include/axmul/core or in tests/core).
`*`, `<layer>` and NAME stand for anything, {a,b} for either. Sections are anchors:
`src/README.md#words`. Comments in sources: paths from the top, from src, include or tests, and
names of source files that some folder has. The layers that src/README.md lists are the folders of
src, and may include what check_layers.py lets them.
"""
import fnmatch
import functools
import io
import os
import re
import sys
import tokenize
from pathlib import Path

import check_layers

TOP = ("src", "include", "tests", "bench", "tools", "luts", ".ci")
SOURCE = ("cpp", "hpp", "py", "md", "def", "inc", "sh", "cmake")
CODE = ("*.cpp", "*.hpp", "*.def", "*.inc", "*.py", "*.sh", "*.cmake", "CMakeLists.txt")
# Files of other programs that pages speak of.
EXTERNAL = {"axx_linear.cpp", "axx_conv2d.cpp", "src/torchapprox/operators/lut.py",
            "utils/evoapprox.py"}
PLACEHOLDERS = re.compile(r"<[^<>]*>|\b(?:NAME|FILE|DIR|FORMAT)(?=[_./]|\b)")
PATH = re.compile(r"(?<![\w./$}{*-])(?:%s)/[\w.{},*<>-]*(?:/[\w.{},*<>-]+)*(?:#[\w-]+)?" %
                  "|".join(map(re.escape, TOP)))
NAMED = re.compile(r"(?<![\w./$}{:*>-])(?:\.\./)*(?:[\w-]+/)*[\w*-]+\.(?:%s)(?:#[\w-]+)?(?![\w/(])" %
                   "|".join(SOURCE))
OLD = re.compile(r"\bDESIGN[\s/#*]+§?\d|\.md[\s,/#*]*§")


def walk(root):
    """All files of the tree but builds and hidden folders, as paths from the root."""
    found = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders
                      if f in TOP or not f.startswith((".", "build", "__pycache__"))]
        found |= {(Path(folder) / f).relative_to(root).as_posix() for f in files}
    return found


def braces(text):
    match = re.search(r"\{([^{}]*)\}", text)
    if not match:
        return [text]
    return [x for part in match.group(1).split(",")
            for x in braces(text[:match.start()] + part + text[match.end():])]


@functools.lru_cache(maxsize=None)
def slugs(path):
    """The anchors of a page, as GitHub makes them of its headings."""
    found, fence = set(), False
    for line in path.read_text().splitlines():
        fence ^= line.strip().startswith("```")
        if line.startswith("#") and not fence:
            title = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
            found.add(next(s for s in [title] + [f"{title}-{i}" for i in range(1, 99)] if s not in found))
    return found


class Tree:
    def __init__(self, root):
        self.root, self.files = root, walk(root)
        self.folders = {p.as_posix() for f in self.files for p in Path(f).parents}
        self.names = {Path(f).name for f in self.files}

    def has(self, path):
        """Whether a file or folder is there; `*` stands for any name."""
        path = os.path.normpath(path)
        if "*" not in path:
            return path in self.files or path in self.folders
        if "/" not in path:
            return any(fnmatch.fnmatchcase(name, path) for name in self.names)
        pattern = re.compile("[^/]*".join(map(re.escape, path.split("*"))))
        return any(pattern.fullmatch(f) for f in self.files | self.folders)

    def resolves(self, text, bases):
        """Nothing, or what is wrong with a path, looked for from each of the bases."""
        text, _, anchor = text.partition("#")
        for path in braces(PLACEHOLDERS.sub("*", text)):
            found = [b for b in bases if self.has(os.path.join(b, path))]
            if not found and not ("*" in path and "/" not in path and self.has(path)):
                return "no such file or folder"
            if anchor and found and anchor not in slugs(self.root / found[0] / path):
                return "no such section"
        return None


def mirrored(tree, folder):
    """The folders in which a page of this folder may name a file by its name alone."""
    parts = Path(folder).parts
    layer = parts[1] if len(parts) > 1 and parts[0] == "src" else None
    below = sorted(f for f in tree.folders if layer and f.startswith(f"src/{layer}/"))
    return [folder] + below + [f"{top}/{layer}" for top in ("include/axmul", "tests") if layer]


def page_problems(tree, page):
    folder = os.path.dirname(page)
    text, fence = [], False
    for number, line in enumerate((tree.root / page).read_text().splitlines(), 1):
        if line.strip().startswith("```"):
            fence = not fence
        elif fence:
            for found in PATH.findall(line) + re.findall(r"(?<![\w/])axmul/\w+/\w+\.hpp", line):
                yield number, found, tree.resolves(found.rstrip(".,"), ["", "include"])
        else:
            text.append((number, line))
    for number, line in text:
        if OLD.search(line):
            yield number, OLD.search(line).group(), "is no reference to a section; write src/README.md#words"
        for link in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"\w+:", link):
                continue
            target = page + link if link.startswith("#") else os.path.join(folder, link)
            yield number, link, tree.resolves(target, [""])
        for span in re.findall(r"`([^`]+)`", line):
            for word in span.split():
                word = word.strip("\"'(),;")
                if word in EXTERNAL or re.search(r"[$=%…\\~:]|^-", word):
                    continue
                if PATH.fullmatch(word):
                    yield number, word, tree.resolves(word, [""])
                elif NAMED.fullmatch(PLACEHOLDERS.sub("*", word)):
                    yield number, word, tree.resolves(word, ["include"] + mirrored(tree, folder))


def comments(path):
    """(line, text) of the comments of a source; docstrings count."""
    text = path.read_text()
    if path.suffix == ".py":
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and '"""' in token.string):
                    yield token.start[0], token.string
        except (tokenize.TokenError, SyntaxError) as error:
            yield 1, f"{path}: {error}"
        return
    mark = "//" if path.suffix in (".cpp", ".hpp", ".def", ".inc") else "#"
    for number, line in enumerate(text.splitlines(), 1):
        start = line.find(mark)
        if start >= 0 and not line.lstrip().startswith("#include"):
            yield number, line[start:]


def code_problems(tree, source):
    folder = os.path.dirname(source)
    joined = []
    for number, comment in comments(tree.root / source):
        joined.append(comment)
        for found in PATH.findall(comment):
            yield number, found, tree.resolves(found.rstrip(".,"), [""])
        for found in NAMED.findall(comment):
            if PATH.fullmatch(found) or found in EXTERNAL:
                continue
            if "/" in found:
                yield number, found, tree.resolves(found, [folder, "src", "include", "include/axmul", "tests"])
            elif found.partition("#")[0].endswith(".md") and "*" not in found:
                yield number, found, tree.resolves(found, mirrored(tree, folder))
            elif not any(fnmatch.fnmatchcase(name, found) for name in tree.names):
                yield number, found, "no folder has such a file"
    for old in OLD.findall("\n".join(joined)):
        yield 1, old, "is no reference to a section; write src/README.md#words"
    for number, line in enumerate((tree.root / source).read_text().splitlines(), 1):
        for found in re.findall(r'"[^"]*"', line):  # texts that users read
            for path in PATH.findall(found):
                if path.partition("#")[0].rsplit(".", 1)[-1] in SOURCE and path not in EXTERNAL:
                    yield number, path, tree.resolves(path, [""])


def layer_problems(root, below):
    """Where the table of layers, the folders of src and the layer check (`below`) disagree."""
    page = (root / "src/README.md").read_text()
    if "\n## Layers\n" not in page:
        return
    table = page.split("\n## Layers\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\|([\w, ]*)\|$", table, re.M)
    told = {layer: re.findall(r"\w+", includes) for layer, includes in rows}
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()}
    for layer in sorted(folders | told.keys() | below.keys()):
        for where, layers in (("folder in src", folders), ("layer of the page", told),
                              ("layer of check_layers.py", below)):
            if layer not in layers:
                yield f"src/README.md: {layer} is no {where}"
        here, rule = closure(layer, told), closure(layer, below)
        if layer in told and layer in below and here != rule:
            yield f"src/README.md: {layer} includes {sorted(here)}, in check_layers.py {sorted(rule)}"


def closure(layer, below):
    """What a layer sees: what it includes, and what that includes."""
    found, todo = {"core"}, [layer]
    while todo:
        new = set(below.get(todo.pop(), [])) - found
        found |= new
        todo += new
    return found - {layer}


def check(root, below=check_layers.BELOW):
    tree = Tree(root)
    problems = list(layer_problems(root, below))
    for file in sorted(tree.files):
        if file.startswith("tests/project/") and file.endswith("_self_test.py"):
            continue  # these plant what is to be found
        if file.endswith(".md"):
            found = page_problems(tree, file)
        elif (any(Path(file).match(p) for p in CODE) or
              file.startswith(("tools/", ".ci/")) and "." not in Path(file).name):
            found = code_problems(tree, file)
        else:
            continue
        problems += [f"{file}:{number}: {text}: {what}" for number, text, what in found if what]
    return sorted(set(problems))


if __name__ == "__main__":
    found = check(Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
