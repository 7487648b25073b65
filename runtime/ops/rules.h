// What the ops' rule files share: operand checks with one wording, random sample tensors, common sharding rules.
#pragma once

#include <span>

#include "base/check.h"
#include "runtime/graph/gradient_builder.h"
#include "runtime/ops/op.h"
#include "runtime/ops/sharding.h"

namespace hearth {

// The operand count and each operand's rank and dtype; `weight` stands for any dtype but i32, `activations` for f32 and
// q8_0. What the op calls activations() may be bf16 too. All are row-major, but for `laid_out_weight`, which is a
// weight in any layout.
enum class Accept { f32, i32, weight, laid_out_weight, cache, activations };
struct Operand {
  const char* name;
  Accept accept;
  int rank;  // 0: any rank from 1
};
Result<void> check_operands(const Op& op, Types inputs, std::initializer_list<Operand> operands);
// error: "<op>: <what> must be <wanted>, got <got>"
Error shape_error(std::string_view op, std::string_view what, std::string_view wanted, std::string_view got);
Result<void> check_same_shape(std::string_view op, Types inputs, size_t a, size_t b);

// Row-major views as f32 rows; a copy is made only of tensors that are not f32.
class FloatRows {
 public:
  explicit FloatRows(const TensorView& view)
      : copy_(view.type.dtype == Dtype::f32 ? Tensor() : to_f32(view)),
        data_(view.type.dtype == Dtype::f32 ? view.f32() : copy_.f32()),
        n_(view.shape().last()) {}
  const float* row(int64_t i) const { return data_ + i * n_; }
  float at(int64_t i, int64_t j) const { return data_[i * n_ + j]; }

 private:
  Tensor copy_;
  const float* data_;
  int64_t n_;
};

// Deterministic sample tensors: uniform in [-1, 1] * magnitude, or integers in [0, below). Weights of a dtype that
// cannot be encoded are random blocks of about that magnitude.
Tensor random_tensor(Shape shape, uint32_t seed, float magnitude = 1);
Tensor random_weights(Dtype dtype, Shape shape, uint32_t seed, float magnitude = 1);
std::span<const Dtype> weight_dtypes();  // every dtype that a weight may have
Tensor random_ids(int64_t n, int64_t below, uint32_t seed);
Tensor ids_tensor(std::initializer_list<int32_t> ids);
// i32 [n_tokens]: for each token where its document begins; `begins` in rising order.
Tensor segments_of(int64_t n_tokens, std::initializer_list<int32_t> begins);

template <class... Tensors>
Sample make_sample(std::string name, std::shared_ptr<const Op> op, std::vector<int> check_gradient_of,
                   Tensors... inputs) {
  Sample sample{std::move(name), std::move(op), {}, std::move(check_gradient_of)};
  (sample.inputs.push_back(std::move(inputs)), ...);
  return sample;
}
template <class... S>
std::vector<Sample> sample_list(S... samples) {
  std::vector<Sample> out;
  (out.push_back(std::move(samples)), ...);
  return out;
}

// All operands and outputs have the same shape; every axis may be cut. Axes are named "a0", "a1", ...
ShardingRule elementwise_sharding(Types inputs, int n_outputs);
// The same for a function of which zeros alone give zeros.
ShardingRule zero_keeping_sharding(Types inputs, int n_outputs);
// Rows of the last axis, which stays whole.
ShardingRule rows_sharding(Types inputs, int n_outputs);

inline Error not_differentiable(std::string_view op, std::string_view why) {
  return error(Code::unimplemented, "{} has no gradient: {}", op, why);
}

}  // namespace hearth
