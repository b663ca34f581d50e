"""Shows what ./run installs, fetches, builds and passes on, with stub commands on PATH, in a folder of its own."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ["bash", "cat", "chmod", "dirname", "env", "flock", "grep", "mkdir", "mktemp", "mv", "rm"]
FETCHED = "libtorch-2.11.0-cpu"

# Every stub writes its name and arguments to $CALLS, then does this.
STUBS = {
    "uname": "echo x86_64",
    "nproc": "echo 2",
    "id": 'echo "${STUB_UID:-0}"',
    "sudo": '[[ $1 == -n ]] || "$@"',
    "apt-get": "",
    "dpkg-query": 'echo "$([[ ${!#} == "${STUB_MISSING:-}" ]] || echo installed)"',
    "g++": "",
    "ninja": "",
    "ctest": "",
    "python3": """
[[ $3 == install ]] || exit 0
while [[ $1 != --target ]]; do shift; done
mkdir -p "$2/torch"
printf 'TMPDIR=%s\\n' "$TMPDIR" >>"$CALLS"
[[ -d $TMPDIR ]] || exit 3
case ${STUB_PIP:-} in fails) echo "no network"; exit 1 ;; dies) kill -KILL "$PPID"; exit 1 ;; esac
""",
    "cmake": """
if [[ $1 == --preset ]]; then mkdir -p "build/$2" && : >"build/$2/build.ninja"; exit; fi
echo "progress"
[[ -z ${STUB_BUILD_FAILS:-} ]] || exit 1
mkdir -p "$2/bin"
printf '%s\\n' '#!/usr/bin/env bash' 'printf "adadiff in %s:" "$PWD"; printf " [%s]" "$@"; exit 7' >"$2/bin/adadiff"
chmod +x "$2/bin/adadiff"
""",
}


class Run(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.stubs, self.caller = self.folder / "stubs", self.folder / "caller"
        self.cache, self.calls = self.folder / "home/.cache/adadiff", self.folder / "calls"
        for made in (self.stubs, self.caller, self.folder / "home", self.folder / "tree"):
            made.mkdir()
        for name in REAL:
            (self.stubs / name).symlink_to(shutil.which(name))
        for name, body in STUBS.items():
            self.stub(name, body)
        shutil.copy(ROOT / "run", self.folder / "tree/run")

    def stub(self, name, body):
        path = self.stubs / name
        path.write_text(f'#!{shutil.which("bash")}\nprintf "%s\\n" "{name} $*" >>"$CALLS"\n{body}\n', encoding="utf-8")
        path.chmod(0o755)

    def run_it(self, *arguments, **environment):
        """The finished process; what it called is in self.called afterwards."""
        self.calls.write_text("", encoding="utf-8")
        done = subprocess.run([self.folder / "tree/run", *arguments], cwd=self.caller, text=True, capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False,
                              env={"PATH": str(self.stubs), "HOME": str(self.folder / "home"), "CALLS": str(self.calls), **environment})
        self.called = self.calls.read_text(encoding="utf-8").splitlines()
        return done

    def stopped(self, done, *words):
        self.assertEqual(done.returncode, 2, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def has_called(self, *start):
        return [line for line in self.called if line.startswith(start)]

    def test_refuses_an_unknown_verb(self):
        done = self.run_it("smaple")
        self.stopped(done, 'knows no verb "smaple"', "usage:")
        self.assertEqual((done.stdout, self.called), ("", []))

    def test_helps_without_touching_anything(self):
        done = self.run_it("help")
        self.assertEqual((done.returncode, self.called), (0, []))
        self.assertIn("usage:", done.stdout)

    def test_names_the_package_it_may_not_install(self):
        (self.stubs / "sudo").unlink()
        self.stopped(self.run_it("build", STUB_UID="1000", STUB_MISSING="libcli11-dev"), "not root", "apt-get install libcli11-dev\n")
        self.assertEqual(self.has_called("apt-get", "python3", "cmake"), [])

    def test_stops_where_sudo_would_ask_nobody(self):
        self.stub("sudo", "exit 1")
        self.stopped(self.run_it("build", STUB_UID="1000", STUB_MISSING="libcli11-dev"), "password", "apt-get install libcli11-dev\n")
        self.assertEqual(self.has_called("apt-get"), [])

    def test_installs_what_is_missing_by_sudo(self):
        done = self.run_it("build", STUB_UID="1000", STUB_MISSING="libcli11-dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.has_called("sudo")), 3)
        self.assertTrue(self.has_called("apt-get")[-1].endswith("--no-install-recommends libcli11-dev"))

    def test_installs_the_default_images_only_where_they_are_learned_from(self):
        wanted = lambda *arguments: bool(self.run_it("adadiff", *arguments, STUB_MISSING="dataset-fashion-mnist") and self.has_called("apt-get"))
        self.assertTrue(wanted("train", "-o", "m"))
        self.assertTrue(wanted("train-classifier", "-o", "c"))
        self.assertFalse(wanted("train", "-o", "m", "--images", "mine"))
        self.assertFalse(wanted("train-classifier", "--images=mine"))
        self.assertFalse(wanted("sample"))

    def test_takes_what_is_installed_where_there_is_no_apt(self):
        (self.stubs / "apt-get").unlink()
        done = self.run_it("build", STUB_MISSING="libcli11-dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("finds no apt-get", done.stderr)

    def test_names_the_missing_tool_where_there_is_no_apt(self):
        for name in ("apt-get", "ninja", "g++"):
            (self.stubs / name).unlink()
        self.stopped(self.run_it("build"), "here is no c++ ninja;")

    def test_needs_pip_where_there_is_no_apt(self):
        (self.stubs / "apt-get").unlink()
        self.stub("python3", "exit 1")
        self.stopped(self.run_it("build"), "pip", "ADADIFF_LIBTORCH")

    def test_uses_a_given_libtorch_and_fetches_none(self):
        (self.caller / "mine").mkdir()
        done = self.run_it("build", ADADIFF_LIBTORCH="mine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.has_called("python3"), [])
        self.assertEqual(self.has_called("cmake --preset"), [f"cmake --preset release -DADADIFF_LIBTORCH={self.caller}/mine"])
        self.assertFalse(self.cache.exists())

    def test_refuses_a_given_libtorch_that_is_no_folder(self):
        self.stopped(self.run_it("build", ADADIFF_LIBTORCH="absent"), f'ADADIFF_LIBTORCH: must be a folder, but is "{self.caller}/absent"')
        self.assertEqual(self.called, [])

    def test_configures_again_for_another_libtorch(self):
        for name in ("one", "two", "one"):
            (self.caller / name).mkdir(exist_ok=True)
            self.run_it("build", ADADIFF_LIBTORCH=name)
            self.assertEqual(len(self.has_called("cmake --preset")), 1, name)

    def test_fetches_into_a_cache_named_from_the_callers_folder(self):
        done = self.run_it("build", ADADIFF_CACHE="kept")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.caller / "kept" / FETCHED / "torch").is_dir())
        self.assertEqual(self.has_called("cmake --preset"), [f"cmake --preset release -DADADIFF_LIBTORCH={self.caller}/kept/{FETCHED}"])

    def test_lets_pip_unpack_beside_the_cache_and_leaves_nothing(self):
        self.run_it("build")
        self.assertTrue(self.has_called("TMPDIR=")[0].startswith(f"TMPDIR={self.cache}/"), self.called)
        self.assertEqual(sorted(path.name for path in self.cache.iterdir()), [FETCHED, "lock"])

    def test_needs_neither_apt_nor_pip_the_second_time(self):
        self.run_it("build", STUB_MISSING="libcli11-dev")
        self.assertTrue(self.has_called("apt-get") and self.has_called("python3"))
        self.assertEqual(self.run_it("build").returncode, 0)
        self.assertEqual(self.has_called("apt-get", "sudo", "python3", "cmake --preset"), [])
        self.assertEqual(len(self.has_called("cmake --build")), 1)

    def test_takes_no_half_fetched_libtorch_for_whole(self):
        for how, left in (("fails", ["lock"]), ("dies", None)):
            done = self.run_it("build", STUB_PIP=how)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(self.has_called("cmake"), [])
            self.assertFalse((self.cache / FETCHED).exists())
            if left:
                self.assertEqual([path.name for path in self.cache.iterdir()], left)
                self.assertIn("no network", done.stderr)
        self.assertEqual(self.run_it("build").returncode, 0)
        self.assertEqual(sorted(path.name for path in self.cache.iterdir()), [FETCHED, "lock"])

    def test_passes_arguments_output_and_exit_code_through(self):
        done = self.run_it("adadiff", "info", "a b", "", "*")
        self.assertEqual((done.stdout, done.returncode), (f"adadiff in {self.caller}: [info] [a b] [] [*]", 7))
        self.assertIn("run: builds adadiff_command in build/release\nprogress\n", done.stderr)

    def test_samples_into_a_named_picture_only_once(self):
        self.assertTrue(self.run_it("sample").stdout.endswith(": [sample] [--out] [adadiff-samples.png] [--count] [100] [--class] [all]"))
        self.assertTrue(self.run_it("sample", "--out=x.png").stdout.endswith(": [sample] [--out=x.png]"))

    def test_installs_everything_to_a_folder_from_where_the_caller_stands(self):
        done = self.run_it("install", "there")
        self.assertEqual(done.returncode, 0, done.stderr)
        builds, installs = self.has_called("cmake --build"), self.has_called("cmake --install")
        self.assertIn("--target all", builds[0])
        self.assertTrue(installs[0].endswith(f"--prefix {self.caller}/there"), installs)

    def test_installs_nowhere_without_being_told(self):
        self.stopped(self.run_it("install"), "must be given one folder, but is given 0")

    def test_hands_arguments_to_ctest(self):
        self.assertEqual(self.run_it("test", "-R", "a b").returncode, 0)
        self.assertEqual(self.has_called("ctest"), ["ctest --preset release -j 2 -R a b"])

    def test_runs_nothing_after_a_failed_build(self):
        done = self.run_it("test", STUB_BUILD_FAILS="1")
        self.assertEqual((done.returncode, self.has_called("ctest")), (1, []))
        self.assertIn("the build failed", done.stderr)


if __name__ == "__main__":
    unittest.main()
