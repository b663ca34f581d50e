// Muon against the singular values it is about.
#include "training/muon.h"

#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <cmath>

#include "kernels/noise.h"

namespace adadiff::detail {
namespace {

at::Tensor random_matrices(std::int64_t count, std::int64_t rows, std::int64_t columns) {
  auto values = at::empty({count, rows, columns}, at::kFloat);
  EXPECT_EQ(kernels::fill_normal({3, 0, 0, 0}, values.data_ptr<float>(), values.numel()),
            kernels::Status::Ok);
  return values.to(at::kDouble);
}

at::Tensor singular_values(const at::Tensor& matrices) {
  return std::get<1>(at::linalg_svd(matrices, false));
}

// The iteration is a polynomial of the singular values and leaves the singular vectors as they are.
TEST(Orthogonalise, MovesSingularValuesAsThePolynomialSays) {
  const auto matrices = random_matrices(2, 3, 5);
  auto [u, values, v] = at::linalg_svd(matrices, false);
  values = values / values.norm(2, {1}, true);
  for (int step = 0; step < 5; ++step)
    values = 3.4445 * values - 4.7750 * values.pow(3) + 2.0315 * values.pow(5);
  const auto expected = at::matmul(u * values.unsqueeze(1), v);
  EXPECT_LT((orthogonalise(matrices) - expected).abs().max().item<double>(), 1e-12);
}

TEST(Orthogonalise, BringsSingularValuesNearOne) {
  const auto values = singular_values(orthogonalise(random_matrices(4, 32, 128)));
  EXPECT_GT(values.min().item<double>(), 0.6);
  EXPECT_LT(values.max().item<double>(), 1.3);
}

TEST(Orthogonalise, LeavesZeroAtZero) {
  EXPECT_EQ(orthogonalise(at::zeros({1, 2, 3})).abs().max().item<float>(), 0);
}

/// Weights of zero with random gradients.
std::vector<at::Tensor> with_gradients(const std::vector<std::vector<std::int64_t>>& shapes) {
  std::vector<at::Tensor> matrices;
  for (const auto& shape : shapes) {
    matrices.push_back(at::zeros(shape, at::kDouble).requires_grad_(true));
    matrices.back().mutable_grad() = random_matrices(1, shape[0], shape[1])[0];
  }
  return matrices;
}

TEST(Muon, StepsByTheOrthogonalMomentumScaledByTheShape) {
  const auto matrices = with_gradients({{8, 2}});
  Muon muon(matrices, {.weight_decay = {0}});
  muon.step(0.1);
  const auto direction = orthogonalise(matrices[0].grad().t().unsqueeze(0))[0]
                             .t();  // momentum's length does not matter
  EXPECT_LT((matrices[0].detach() + 0.1 * 2 * direction).abs().max().item<double>(), 1e-12);
}

TEST(Muon, LooksAheadWithItsMomentum) {
  const auto matrices = with_gradients({{2, 3}});
  Muon muon(matrices, {.momentum = 0.5, .weight_decay = {0}});
  const auto first = matrices[0].grad().clone(), second = random_matrices(3, 2, 3)[2];
  muon.step(0.1);
  const auto before = matrices[0].detach().clone();
  matrices[0].mutable_grad() = second;
  muon.step(0.1);
  const auto direction = orthogonalise((second + 0.5 * (0.5 * first + second)).unsqueeze(0))[0];
  EXPECT_LT((matrices[0].detach() - before + 0.1 * direction).abs().max().item<double>(), 1e-12);
}

// Matrices of one shape, lying or standing, share a product and no more.
TEST(Muon, TreatsEachMatrixAlikeWhateverItsCompany) {
  const std::vector<std::vector<std::int64_t>> shapes = {{3, 5}, {5, 3}, {3, 5}, {4, 4}};
  const auto together = with_gradients(shapes);
  Muon(together, {.weight_decay = {0, 0, 0, 0}}).step(0.1);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto alone = with_gradients({shapes[i]});
    Muon(alone, {.weight_decay = {0}}).step(0.1);
    EXPECT_LT((together[i].detach() - alone[0].detach()).abs().max().item<double>(), 1e-12) << i;
  }
}

TEST(Muon, DecaysWeightsByTheirOwnRate) {
  std::vector<at::Tensor> matrices = {at::ones({2, 2}, at::kDouble).requires_grad_(true),
                                      at::ones({2, 2}, at::kDouble).requires_grad_(true)};
  for (auto& matrix : matrices) matrix.mutable_grad() = at::zeros({2, 2}, at::kDouble);
  Muon(matrices, {.weight_decay = {0.5, 0}}).step(0.1);
  EXPECT_NEAR(matrices[0][0][0].item<double>(), 0.95, 1e-12);
  EXPECT_EQ(matrices[1][0][0].item<double>(), 1);
}

TEST(Muon, LeavesMatricesWithoutGradientAlone) {
  auto matrices = with_gradients({{2, 3}, {2, 3}});
  matrices[0].mutable_grad() = at::Tensor();
  Muon(matrices, {.weight_decay = {0.5, 0.5}}).step(0.1);
  EXPECT_EQ(matrices[0].abs().max().item<double>(), 0);
  EXPECT_GT(matrices[1].abs().max().item<double>(), 0);
}

// bfloat16 has 8 bits; five steps carry its roundings on.
TEST(Muon, InBFloat16StepsAboutAsInFloat32) {
  std::vector<at::Tensor> wide = {at::zeros({16, 64}).requires_grad_(true)},
                          narrow = {at::zeros({16, 64}).requires_grad_(true)};
  for (auto* list : {&wide, &narrow})
    list->front().mutable_grad() = random_matrices(1, 16, 64)[0].to(at::kFloat);
  Muon(wide, {.weight_decay = {0}}).step(1);
  Muon(narrow, {.weight_decay = {0}, .in_bfloat16 = true}).step(1);
  EXPECT_LT((wide[0] - narrow[0]).norm().item<double>(), 0.05 * wide[0].norm().item<double>());
}

// The kernel of a convolution [out, in, 3, 3] steps as the matrix [out, in * 9] would.
TEST(Muon, TakesAKernelAsAMatrix) {
  const auto matrices = with_gradients({{4, 18}});
  const at::Tensor kernel = at::zeros({4, 2, 3, 3}, at::kDouble).requires_grad_(true);
  kernel.mutable_grad() = matrices[0].grad().view({4, 2, 3, 3}).clone();
  Muon of_matrix(matrices, {.weight_decay = {0}}), of_kernel({kernel}, {.weight_decay = {0}});
  of_matrix.step(0.1);
  of_kernel.step(0.1);
  EXPECT_TRUE(at::equal(kernel.flatten(1), matrices[0]));
}

}  // namespace
}  // namespace adadiff::detail
