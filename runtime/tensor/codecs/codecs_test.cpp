// Every quantisation against gguf-py: its floats bit for bit, its quantised bytes where it has a quantiser, and no more
// error than llama.cpp's quantisers where the encoding is a fit. expected.txt is written by make_expected.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

#include "runtime/ops/rules.h"
#include "runtime/tensor/dtype.h"
#include "runtime/tensor/scalar.h"

namespace hearth::codecs_test {
namespace {

struct Line {
  Dtype dtype;
  std::vector<std::string> fields;
};

// The lines of one kind: "<kind> <dtype> <field>...".
std::vector<Line> lines_of(const std::string& wanted) {
  std::ifstream file(HEARTH_SOURCE_DIR "/runtime/tensor/codecs/expected.txt");
  EXPECT_TRUE(file.is_open());
  std::vector<Line> out;
  for (std::string text; std::getline(file, text);) {
    std::istringstream in(text);
    std::string kind, name;
    in >> kind >> name;
    if (kind != wanted) continue;
    Line line{*dtype_from_name(name), {}};
    for (std::string field; in >> field;) line.fields.push_back(field);
    out.push_back(line);
  }
  return out;
}

std::string hash(const void* data, size_t n) {
  uint64_t value = 0xcbf29ce484222325;
  for (size_t i = 0; i < n; ++i) value = (value ^ static_cast<const uint8_t*>(data)[i]) * 0x100000001b3;
  return fmt::format("{:016x}", value);
}

std::vector<uint8_t> from_hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

// As make_expected.py has it.
std::vector<float> sample_floats() {
  uint32_t state = 12345;
  std::vector<float> out(4096);
  for (float& x : out) {
    float total = 0;
    for (int i = 0; i < 3; ++i) {
      state = state * 1664525 + 1013904223;
      total = total + (static_cast<float>(state >> 8) * 0x1p-23f - 1.0f);
    }
    x = total;
  }
  return out;
}

std::vector<uint8_t> encoded(Dtype dtype, const std::vector<float>& x) {
  std::vector<uint8_t> out(static_cast<size_t>(dtype_bytes(dtype, static_cast<int64_t>(x.size()))));
  from_float(dtype, x.data(), out.data(), static_cast<int64_t>(x.size()));
  return out;
}

double relative_error(Dtype dtype, const std::vector<float>& x) {
  std::vector<float> back(x.size());
  to_float(dtype, encoded(dtype, x).data(), back.data(), static_cast<int64_t>(x.size()));
  double difference = 0, size = 0;
  for (size_t i = 0; i < x.size(); ++i) difference += std::pow(x[i] - back[i], 2), size += std::pow(x[i], 2);
  return std::sqrt(difference / size);
}

TEST(Codecs, DequantiseAsGgufPyToTheBit) {
  const auto lines = lines_of("dequantise");
  EXPECT_EQ(lines.size(), 22u);
  for (const Line& line : lines) {
    const auto blocks = from_hex(line.fields[0]);
    const DtypeInfo& info = dtype_info(line.dtype);
    const size_t n = blocks.size() / static_cast<size_t>(info.block_bytes) * static_cast<size_t>(info.block_elements);
    std::vector<float> values(n);
    to_float(line.dtype, blocks.data(), values.data(), static_cast<int64_t>(n));
    EXPECT_EQ(hash(values.data(), n * 4), line.fields[1]) << info.name;
  }
}

TEST(Codecs, QuantiseAsGgufPyToTheBit) {
  const auto lines = lines_of("quantise");
  EXPECT_EQ(lines.size(), 8u);
  for (const Line& line : lines) {
    const auto bytes = encoded(line.dtype, sample_floats());
    EXPECT_EQ(hash(bytes.data(), bytes.size()), line.fields[0]) << dtype_info(line.dtype).name;
  }
}

TEST(Codecs, FittedOnesLoseNoMoreThanLlamaCpp) {
  const auto lines = lines_of("error");
  EXPECT_EQ(lines.size(), 7u);
  for (const Line& line : lines) {
    const double ours = relative_error(line.dtype, sample_floats()), theirs = std::stod(line.fields[0]);
    EXPECT_LE(ours, theirs * 1.02) << dtype_info(line.dtype).name;
    std::printf("    %-8s relative error %.5f, llama.cpp %.5f\n", dtype_info(line.dtype).name, ours, theirs);
  }
}

TEST(Codecs, FloatScalesAreClose) {
  const auto x = sample_floats();
  EXPECT_LT(relative_error(Dtype::i8x128, x), 0.01);
  EXPECT_LT(relative_error(Dtype::f8x128, x), 0.03);
  EXPECT_LT(relative_error(Dtype::nf4, x), 0.1);
}

// Every e4m3 number survives, and what lies between goes to the nearest.
TEST(Codecs, E4m3RoundsToNearest) {
  std::vector<float> x(128);
  for (int block = 0; block < 2; ++block) {
    for (int i = 0; i < 128; ++i) {
      const int bits = std::min(block * 64 + i, 126), sign = i % 2 ? -1 : 1;
      const double value = bits < 8 ? bits * 0x1p-9 : std::ldexp(8 + bits % 8, bits / 8 - 10);
      x[static_cast<size_t>(i)] = static_cast<float>(sign * value);
    }
    x[127] = 448;  // the scale becomes 1
    std::vector<float> back(128);
    to_float(Dtype::f8x128, encoded(Dtype::f8x128, x).data(), back.data(), 128);
    EXPECT_EQ(back, x);
  }
}

TEST(Codecs, OddInputsAreHarmless) {
  std::vector<float> zeros(256), wild(256);
  for (size_t i = 0; i < wild.size(); ++i) wild[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -3e38f;
  for (Dtype dtype : weight_dtypes()) {
    if (!dtype_info(dtype).can_encode || !dtype_info(dtype).is_quantised) continue;
    std::vector<float> back(256, 1.0f);
    to_float(dtype, encoded(dtype, zeros).data(), back.data(), 256);
    EXPECT_EQ(back, zeros) << dtype_info(dtype).name;
    EXPECT_EQ(encoded(dtype, wild).size(), static_cast<size_t>(dtype_bytes(dtype, 256)));
  }
}

}  // namespace
}  // namespace hearth::codecs_test
