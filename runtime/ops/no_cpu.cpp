// Stand-in until every op has its cpu.cpp: all kernels decline, so the reference runs.
#include "runtime/ops/add/add.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/attention_cached/attention_cached.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/mul/mul.h"
#include "runtime/ops/reshape/reshape.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/scale/scale.h"
#include "runtime/ops/silu/silu.h"
#include "runtime/ops/sum_rows/sum_rows.h"
#include "runtime/ops/swiglu/swiglu.h"

namespace hearth {

CpuKernel Add::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Attention::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel AttentionBackward::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel AttentionCached::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel CrossEntropy::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel CrossEntropyBackward::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel GatherRows::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel ScatterAddRows::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Matmul::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Mul::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Reshape::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel RmsNorm::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel RmsNormBackward::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Rope::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Scale::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Silu::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel SiluBackward::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel SumRows::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel Swiglu::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}
CpuKernel SwigluBackward::cpu_kernel(Types, const CpuFeatures&) const {
  return {};
}

}  // namespace hearth
