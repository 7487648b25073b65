// Panels: what is packed reads back byte for byte, for any number of rows, and in pieces.
#include "runtime/tensor/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "runtime/ops/rules.h"

namespace hearth::panels_test {
namespace {

std::vector<Dtype> dtypes_with_panels() {
  std::vector<Dtype> out;
  for (Dtype dtype : weight_dtypes())
    if (has_panels(dtype)) out.push_back(dtype);
  return out;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type()) return false;
  const auto bytes = static_cast<size_t>(a.type().bytes());
  return bytes == 0 || std::memcmp(a.view().data, b.view().data, bytes) == 0;
}

Tensor packed(const Tensor& rows, Layout layout, int64_t at_once) {
  Tensor out({rows.type().dtype, rows.type().shape, layout});
  if (out.type().bytes() > 0) std::memset(out.view().data, 0xff, static_cast<size_t>(out.type().bytes()));
  for (int64_t p = 0; p < n_panels(out.type()); p += at_once)
    pack_panels(rows.view(), out.view(), p, std::min(n_panels(out.type()), p + at_once));
  return out;
}

TEST(Panels, ReadBackAsTheyWere) {
  EXPECT_GE(dtypes_with_panels().size(), 5u);
  for (Dtype dtype : dtypes_with_panels())
    for (Layout layout : {Layout::panels_of_8, Layout::panels_of_16})
      for (const Shape& shape :
           {Shape{1, 256}, {7, 512}, {8, 256}, {15, 768}, {16, 256}, {17, 256}, {33, 256}, {3, 16, 512}, {0, 256}}) {
        const Tensor rows = random_weights(dtype, shape, 1);
        const Tensor panels = packed(rows, layout, 100);
        SCOPED_TRACE(panels.type().to_string());
        EXPECT_TRUE(same_bytes(unpack_panels(panels.view()), rows));
        EXPECT_TRUE(same_bytes(to_f32(panels.view()), to_f32(rows.view())));
        EXPECT_TRUE(same_bytes(packed(rows, layout, 1), panels)) << "in pieces";
      }
}

TEST(Panels, HoldTheBytesOfTheirRowsAndOfWholePanels) {
  const TensorType rows{Dtype::q4_0, {32, 64}}, whole{Dtype::q4_0, {32, 64}, Layout::panels_of_16},
      more{Dtype::q4_0, {33, 64}, Layout::panels_of_16};
  EXPECT_EQ(whole.bytes(), rows.bytes());
  EXPECT_EQ(more.bytes(), 48 * rows.row_bytes());
  EXPECT_NE(whole, rows);
  EXPECT_EQ(more.to_string(), "q4_0[33, 64] in panels of 16");
}

// Rows that are not there stand for zeros: a kernel may multiply them.
TEST(Panels, RowsPastTheLastAreZeros) {
  for (Dtype dtype : dtypes_with_panels()) {
    const Tensor panels = packed(random_weights(dtype, {1, 256}, 1), Layout::panels_of_8, 1);
    Tensor all({dtype, {8, 256}, Layout::panels_of_8});
    std::memcpy(all.view().data, panels.view().data, static_cast<size_t>(all.type().bytes()));
    const Tensor rows = unpack_panels(all.view());
    const auto* bytes = static_cast<const char*>(rows.view().row(1));
    for (int64_t i = 0; i < 7 * rows.type().row_bytes(); ++i) ASSERT_EQ(bytes[i], 0) << dtype_info(dtype).name;
  }
}

}  // namespace
}  // namespace hearth::panels_test
