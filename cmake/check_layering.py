"""Reads every #include and fails where a file reaches above its room (docs/decisions/0002-rooms.md).

usage: check_layering.py FOLDER
"""

import pathlib
import re
import sys

# Lowest first: a room may include itself and what stands before it.
ROOMS = ["kernels", "core", "device", "io", "diffusion", "plans", "nn", "networks", "execution", "sampling", "models", "pipeline", "convert",
         "training", "features", "metrics", "tuning", "c", "cli"]

# The room that each public header speaks for.
PUBLIC_HEADERS = {
    "error.h": "core", "image.h": "io", "noise_schedule.h": "diffusion", "solver.h": "diffusion", "plan.h": "plans",
    "exit_policy.h": "plans", "network.h": "networks", "trace.h": "sampling", "pipeline.h": "pipeline",
    "adadiff.h": "pipeline", "training.h": "training", "device.h": "device", "tuning.h": "tuning",
    "trainable_network.h": "networks",
}

# Lower rooms that must stay out of sight all the same.
HIDDEN = {
    "io": {"device"},
    "diffusion": {"device", "io"},
    "nn": {"io", "diffusion", "plans"},
    "networks": {"diffusion", "plans"},
    "execution": {"diffusion"},
    "models": {"execution", "sampling"},
    "convert": {"execution", "sampling", "pipeline"},
    "training": {"execution", "sampling"},
    "features": {"execution", "sampling", "pipeline"},
}
# Rooms whose insides are hidden, their public header not: sampling never sees a concrete network, and a plan names a precision.
# A training may ask a pipeline for runs, as any application does.
HIDDEN_INSIDES = {"plans": {"device"}, "execution": {"nn", "networks"}, "sampling": {"nn", "networks"}, "training": {"pipeline"}}

# Libraries from outside, and where they may be included: a room, or one file.
LIBRARIES = {
    "torch": (r"(ATen|c10|torch)/", {"device", "nn", "networks", "execution", "sampling", "models", "pipeline", "convert", "training", "features",
                                          "metrics", "cli"}),
    "nlohmann-json": (r"nlohmann/", {"io", "plans", "networks", "sampling", "models", "convert", "training", "features", "cli"}),
    "libjpeg": (r"(jpeglib|jerror)\.h$", {"io/jpeg.cpp"}),
    "zlib": (r"zlib\.h$", {"io"}),
    "stb": (r"(stb/)?stb_", {"io/image.cpp", "io/image_resize.cpp"}),
    "CLI11": (r"CLI/", {"cli"}),
    "Eigen": (r"Eigen/", {"features", "metrics"}),
    "libzip": (r"zip\.h$", {"metrics/npz.cpp", "convert/torch_file.cpp"}),
}
# Public headers do without these libraries, but for the header of those who write and train a network.
PUBLIC_LIBRARIES = {"trainable_network.h": {"torch"}}
WHOLE_TORCH = re.compile(r"torch/(torch|all|extension)\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".h", ".cpp", ".cu", ".cuh"}


def room_of_include(path):
    """The room that an included path belongs to, and whether it is a public header; None for what is not ours."""
    folder, _, rest = path.partition("/")
    if folder == "adadiff":
        return PUBLIC_HEADERS.get(rest, f"adadiff/{rest}"), True
    return (folder, False) if folder in ROOMS and rest else (None, False)


def library_of_include(path):
    return next((name for name, (pattern, _) in LIBRARIES.items() if re.match(pattern, path)), None)


def complaint(place, room, public, quoted, included):
    """What is wrong with one #include in file `place` of `room`, or None."""
    library = library_of_include(included)
    if library:
        if WHOLE_TORCH.match(included):
            return "the whole of torch is never included"
        rooms_and_files = LIBRARIES[library][1]
        is_allowed = library in PUBLIC_LIBRARIES.get(place, ()) if public else room in rooms_and_files or place in rooms_and_files
        return None if is_allowed else f"{library} is not for {place}"
    other, other_public = room_of_include(included)
    if other is None:
        return f"must name its room: \"ROOM/{included}\"" if quoted else None
    if other not in ROOMS:
        return f"{included} is no public header that cmake/check_layering.py knows"
    if public and not other_public:
        return "a public header includes public headers only"
    if ROOMS.index(other) > ROOMS.index(room):
        return f"{other} stands above {room}"
    insides = not other_public and other in HIDDEN_INSIDES.get(room, ())
    return f"{room} never sees {other}" if insides or other in HIDDEN.get(room, ()) else None


def files(root):
    """Yields (path, place, room, is_public): place is the path within src/, or a public header's name."""
    for top, public in ((root / "kernels", False), (root / "src", False), (root / "include" / "adadiff", True)):
        for path in sorted(top.rglob("*")):
            if path.suffix in SOURCES:
                place = path.relative_to(top if public or top.name == "src" else root).as_posix()
                yield path, place, PUBLIC_HEADERS.get(place) if public else place.partition("/")[0], public


def check(root):
    """All complaints about the tree at root as "file:line: ..."."""
    found = []
    for path, place, room, public in files(root):
        name = path.relative_to(root)
        if room not in ROOMS:
            found.append(f"{name}:1: belongs to no room that cmake/check_layering.py knows")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            problem = match and complaint(place, room, public, match[1] == '"', match[2])
            if problem:
                found.append(f"{name}:{number}: {match[2]}: {problem}")
    return found


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    root = pathlib.Path(arguments[0])
    count = sum(1 for _ in files(root))
    if count == 0:
        sys.exit(f"{root}: no sources in kernels, src and include/adadiff")
    found = check(root)
    print("\n".join(found + [f"{count} files, {len(found)} includes against the layering"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
