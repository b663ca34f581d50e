"""Answers of the program, kept as files, so that an interrupted measurement goes on where it was."""

import functools
import hashlib
import json
import os
import pathlib
import subprocess
import sys


@functools.lru_cache(maxsize=None)
def digest(path, size, modified):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def identity(word):
    """The word itself, and what is in the file that it names, if that is a model, a plan or a reference."""
    path = pathlib.Path(word)
    return f"{word} {content(path)}" if path.suffix in (".safetensors", ".json", ".npz") and path.is_file() else word


def content(path):
    facts = pathlib.Path(path).stat()
    return digest(str(path), facts.st_size, facts.st_mtime_ns)


class Answers:
    """Runs the program with --json; asks again where program, command, model, plan or reference are others than they were."""

    def __init__(self, program, folder):
        self.program, self.folder = str(program), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name, verb, model, *flags, writes=()):
        """`writes`: files that the command writes beside its answer."""
        path, words = self.folder / (name + ".answer.json"), [verb, str(model), *map(str, flags), "--json"]
        written = {str(file) for file in writes}
        key = [content(self.program)] + [word if word in written else identity(word) for word in words]
        if path.exists() and all(pathlib.Path(file).exists() for file in writes):
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == key:
                return kept["answer"]
        done = subprocess.run([self.program, *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join([self.program, *words])}\n{done.stderr}")
        answer = json.loads(done.stdout)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps({"key": key, "answer": answer}), encoding="utf-8")
        os.replace(unfinished, path)
        print(name, file=sys.stderr, flush=True)
        return answer
