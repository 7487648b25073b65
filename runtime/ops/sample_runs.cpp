// See sample_runs.h.
#include "runtime/ops/sample_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/exec/executor.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/all_ops.h"

namespace hearth {

std::vector<Sample>& every_sample() {
  static std::vector<Sample> all = all_samples();
  return all;
}

std::string name_of(const Sample& sample) {
  return std::string(sample.op->name()) + "_" + sample.name;
}

Sample copy_of(const Sample& sample) {
  return {sample.name, sample.op, copies_of(sample.inputs), sample.check_gradient_of, sample.tolerance};
}

bool has_activations(const Sample& sample) {
  const std::vector<int> activations = sample.op->activations(types_of(sample.inputs));
  return !activations.empty() && std::ranges::all_of(activations, [&](int i) {
    return sample.inputs[static_cast<size_t>(i)].type().dtype == Dtype::f32;
  });
}

Sample in_bf16(const Sample& sample) {
  Sample out = copy_of(sample);
  out.name += "_in_bf16";
  for (int i : sample.op->activations(types_of(sample.inputs))) {
    Tensor& input = out.inputs[static_cast<size_t>(i)];
    Tensor rounded(TensorType{Dtype::bf16, input.type().shape});
    from_float(Dtype::bf16, input.f32(), rounded.view().data, input.type().shape.n_elements());
    input = std::move(rounded);
  }
  return out;
}

Tensor copy_of(const TensorView& view) {
  Tensor out(view.type);
  if (view.type.bytes() > 0) std::memcpy(out.view().data, view.data, static_cast<size_t>(view.type.bytes()));
  return out;
}

std::vector<Tensor> copies_of(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> out;
  for (const Tensor& tensor : tensors) out.push_back(copy_of(tensor.view()));
  return out;
}

std::vector<TensorView> views_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorView> out;
  for (const Tensor& tensor : tensors) out.push_back(tensor.view());
  return out;
}

std::vector<TensorType> types_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorType> out;
  for (const Tensor& tensor : tensors) out.push_back(tensor.type());
  return out;
}

std::vector<Tensor> new_outputs(const Op& op, const std::vector<Tensor>& inputs) {
  auto types = op.infer(types_of(inputs));
  if (!types) ADD_FAILURE() << types.error().to_string();
  std::vector<Tensor> out;
  for (const TensorType& type : *types) out.emplace_back(type);
  return out;
}

Written written(const Op& op, std::vector<Tensor> inputs, std::vector<Tensor> outputs) {
  for (int i : op.mutated_inputs()) outputs.push_back(std::move(inputs[static_cast<size_t>(i)]));
  return outputs;
}

Written run_reference(const Op& op, const std::vector<Tensor>& originals) {
  std::vector<Tensor> inputs = copies_of(originals), outputs = new_outputs(op, inputs);
  run_reference(op, views_of(inputs), views_of(outputs));
  return written(op, std::move(inputs), std::move(outputs));
}

double relative_error(const Tensor& got, const Tensor& expected) {
  if (expected.type().dtype == Dtype::i32)
    return std::equal(got.i32(), got.i32() + expected.type().bytes() / 4, expected.i32()) ? 0 : INFINITY;
  const Tensor a = to_f32(got.view()), b = to_f32(expected.view());
  double difference = 0, largest = 1e-30;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) {
    if (!std::isfinite(a.f32()[i])) return INFINITY;
    difference = std::max(difference, std::fabs(static_cast<double>(a.f32()[i]) - b.f32()[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(b.f32()[i])));
  }
  return difference / largest;
}

void expect_close(const Written& got, const Written& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    // A cache of half precision may round a tie the other way after a last-bit difference.
    const Dtype dtype = expected[i].type().dtype;
    const double slack = dtype == Dtype::f16 ? 1e-3 : dtype == Dtype::bf16 ? 8e-3 : tolerance;
    EXPECT_LE(relative_error(got[i], expected[i]), slack) << "output " << i;
  }
}

bool same_bits(const Written& a, const Written& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (const auto n = static_cast<size_t>(a[i].type().bytes());
        n > 0 && std::memcmp(a[i].view().data, b[i].view().data, n) != 0)
      return false;
  return true;
}

namespace {

// Written to, or followed by a next version in its place.
bool is_state(const Sample& sample, size_t input) {
  std::vector<int> states = sample.op->mutated_inputs();
  const size_t n_outputs = sample.op->infer(types_of(sample.inputs))->size();
  for (size_t i = 0; i < n_outputs; ++i) states.push_back(sample.op->version_of(static_cast<int>(i)));
  return std::ranges::find(states, static_cast<int>(input)) != states.end();
}

std::string name_of_input(size_t i) {
  return "x" + std::to_string(i);
}

Result<Graph> graph_of(const Sample& sample) {
  Builder b;
  std::vector<Value> values;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    const TensorType& type = sample.inputs[i].type();
    values.push_back(is_state(sample, i) ? b.state(name_of_input(i), type, StateKind::per_position)
                                         : b.input(name_of_input(i), type));
  }
  for (Value v : b.apply_all(sample.op, values)) b.output(v);
  return b.finish();
}

Result<void> fill(Backend& backend, const Sample& sample, const Bindings& states, Executor& executor) {
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    const TensorView from = sample.inputs[i].view();
    if (const auto state = states.find(name_of_input(i)); state != states.end())
      TRY(backend.write(state->second.as<std::byte>(), from.data, from.type.bytes()));
    else if (from.type.bytes() > 0)
      std::memcpy(executor.input(name_of_input(i)).data, from.data, static_cast<size_t>(from.type.bytes()));
  }
  return {};
}

}  // namespace

Result<Written> run_on(Backend& backend, const Sample& sample, int n_runs) {
  Bindings host;
  for (size_t i = 0; i < sample.inputs.size(); ++i)
    if (is_state(sample, i)) host[name_of_input(i)] = sample.inputs[i].view();
  std::vector<Buffer> keep;
  const Bindings states = TRY(place_on(backend, host, keep));
  Arena arena(backend);
  Plan plan = TRY(make_plan(TRY(graph_of(sample)), backend));
  Executor executor = TRY(Executor::create(std::move(plan), arena, states));
  for (int run = 0; run < n_runs; ++run) {
    TRY(fill(backend, sample, states, executor));
    TRY(executor.run());
  }
  Written out;
  for (size_t i = 0; i < executor.plan().graph.outputs().size(); ++i) out.push_back(copy_of(executor.output(i)));
  for (int i : sample.op->mutated_inputs()) {
    const TensorView state = states.at(name_of_input(static_cast<size_t>(i)));
    Tensor& copy = out.emplace_back(state.type);
    TRY(backend.read(copy.view().as<std::byte>(), state.as<std::byte>(), state.type.bytes()));
  }
  return out;
}

}  // namespace hearth
