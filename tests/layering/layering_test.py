"""Shows that cmake/check_layering.py catches each kind of breach, on trees of one file."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "cmake"))
import check_layering  # noqa: E402


def complaints(place, *lines):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / place
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return check_layering.check(pathlib.Path(folder))


class Layering(unittest.TestCase):
    def refused(self, place, line, why):
        found = complaints(place, line)
        self.assertEqual(len(found), 1, found)
        self.assertIn(why, found[0])

    def test_names_file_and_line(self):
        found = complaints("src/core/check.cpp", "#include <string>", '#include "models/model_file.h"')
        self.assertEqual(found, ["src/core/check.cpp:2: models/model_file.h: models stands above core"])

    def test_lets_lower_rooms_pass(self):
        self.assertEqual(complaints("src/models/a.cpp", '#include "io/safetensors.h"', "#include <adadiff/plan.h>", "#include <ATen/ATen.h>",
                                    "#include <nlohmann/json.hpp>", '#include "kernels/philox.h"'), [])

    def test_refuses_a_public_header_of_a_higher_room(self):
        self.refused("src/plans/plan.cpp", "#include <adadiff/pipeline.h>", "pipeline stands above plans")

    def test_refuses_anything_of_ours_in_kernels(self):
        self.refused("kernels/noise.cpp", '#include "core/check.h"', "core stands above kernels")
        self.refused("kernels/noise.cpp", "#include <adadiff/error.h>", "core stands above kernels")

    def test_refuses_tensors_below_nn(self):
        for place in ("kernels/noise.h", "src/io/npy.cpp", "src/diffusion/ddim.cpp", "src/plans/plan.cpp", "src/core/check.h"):
            self.refused(place, "#include <ATen/core/Tensor.h>", "torch is not for")

    def test_refuses_the_whole_of_torch(self):
        self.refused("src/training/trainer.cpp", "#include <torch/torch.h>", "never included")

    def test_hides_networks_from_sampling(self):
        self.refused("src/sampling/run.cpp", '#include "networks/uvit/uvit.h"', "sampling never sees networks")
        self.assertEqual(complaints("src/sampling/run.cpp", "#include <adadiff/network.h>"), [])

    def test_shows_plans_the_names_of_precisions_only(self):
        self.refused("src/plans/plan.cpp", '#include "device/device.h"', "plans never sees device")
        self.assertEqual(complaints("src/plans/plan.cpp", "#include <adadiff/device.h>"), [])

    def test_shows_training_the_face_of_runs_only(self):
        self.assertEqual(complaints("src/training/own_runs.cpp", "#include <adadiff/pipeline.h>"), [])
        self.refused("src/training/trainer.cpp", '#include "pipeline/run_state.h"', "training never sees pipeline")
        self.refused("src/training/trainer.cpp", '#include "sampling/sample_run.h"', "training never sees sampling")
        self.refused("src/models/model_file.cpp", '#include "sampling/sample_run.h"', "models never sees sampling")

    def test_hides_thresholds_from_networks(self):
        self.refused("src/networks/uvit/uvit.cpp", "#include <adadiff/plan.h>", "networks never sees plans")
        self.refused("src/nn/layers.cpp", '#include "plans/compile.h"', "nn never sees plans")

    def test_keeps_outside_libraries_in_their_rooms(self):
        self.refused("src/diffusion/ddim.cpp", "#include <nlohmann/json.hpp>", "nlohmann-json is not for")
        self.refused("src/io/npy.cpp", "#include <stb_image.h>", "stb is not for io/npy.cpp")
        self.assertEqual(complaints("src/io/image.cpp", "#include <stb_image.h>"), [])
        self.refused("src/pipeline/a.cpp", "#include <zlib.h>", "zlib is not for")
        self.refused("src/convert/a.cpp", "#include <CLI/CLI.hpp>", "CLI11 is not for")

    def test_keeps_public_headers_free_of_torch_and_private_headers(self):
        self.refused("include/adadiff/network.h", "#include <ATen/core/Tensor.h>", "torch is not for network.h")
        self.refused("include/adadiff/pipeline.h", '#include "models/model_file.h"', "public headers only")

    def test_refuses_unknown_rooms_and_headers(self):
        self.assertIn("no room", complaints("src/misc/a.cpp", "")[0])
        self.refused("src/cli/main.cpp", "#include <adadiff/secret.h>", "no public header")
        self.refused("src/cli/main.cpp", '#include "flags.h"', "must name its room")


if __name__ == "__main__":
    unittest.main()
