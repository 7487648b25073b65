// How a parameter lies in a file, when not just under one name as it is. Importers and exporters are loops over the
// family's table: none of them knows a family.
//
//   Storage("blk.0.attn_q.weight").rope(n_heads)                     rows of each head in another order
//   Storage("self_attn.qkv_proj.weight").rows(first, total)          a part of a fused matrix
//   Storage("experts.gate_up_proj").rows(0, 2 * F, 2).transposed()   every second row of each expert, stored [in, out]
//   Storage("mlp.experts.{}.down_proj.weight").each_of(n_experts)    one tensor for each expert, here stacked
//   Storage("kv_b_proj.weight").rows(0, nope + v).joined()           the first rows of each head, stored [H * rows, in]
//   Storage("q_proj.weight").rows(0, 2 * H * D, 2 * D).in_blocks(D)  the first D rows of every 2 D
//   Storage("conv1d.weight").shaped({C, 1, W})                       [C, W] here is [C, 1, W] there
//   Storage("input_layernorm.weight").plus(1)                        the model's weight is 1 + what is stored
//   Storage("ssm_a").negative_exp()                                  what is stored is -e^(the model's weight)
//
// "Rows" are the matrix's outputs: of [out, in] and [E, out, in] the axis before the last, of a vector its elements.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth {

struct Storage {
  std::string name;       // "{}" stands for the number of a part; empty: not in such files
  int n_parts = 0;        // > 0: that many tensors, stacked here along the first axis
  int64_t first_row = 0;  // n_rows > 0: here are the rows first_row, first_row + row_step, ...
  int64_t n_rows = 0;     //   of a tensor with n_rows rows
  int64_t row_step = 1;   //   or, with row_block > 1: that many rows from first_row on, then from row_step further on
  int64_t row_block = 1;
  // The two numbers that are rotated together are neighbours there and rotary_dim / 2 apart here: in each of n_heads
  // heads, rows rotary_begin .. rotary_begin + rotary_dim change places. rotary_dim 0: all rows of the head.
  int rope_heads = 0, rotary_begin = 0, rotary_dim = 0;
  bool is_transposed = false;    // the last two axes are swapped
  bool is_joined = false;        // [E, out, in] here is [E * out, in] there
  std::vector<int64_t> shape;    // of the whole tensor there, where it is not as one expects; the order is the same
  bool is_negative_exp = false;  // stored = -e^ours
  float offset = 0;              // ours = stored + offset

  Storage() = default;
  Storage(std::string name) : name(std::move(name)) {}  // NOLINT(google-explicit-constructor)
  Storage(const char* name) : name(name) {}             // NOLINT(google-explicit-constructor)

  Storage rows(int64_t first, int64_t total, int64_t step = 1) const;
  Storage rope(int n_heads, int rotated = 0, int begin = 0) const;
  Storage each_of(int n) const;
  Storage transposed() const;
  Storage joined() const;
  Storage in_blocks(int64_t n) const;
  Storage shaped(std::vector<int64_t> whole) const;
  Storage plus(float value) const;
  Storage negative_exp() const;

  std::string part_name(int part) const;  // of part 0 .. max(1, n_parts) - 1
  // Nothing but the name: the stored bytes are ours.
  bool is_plain() const {
    return n_parts == 0 && n_rows == 0 && rope_heads == 0 && !is_transposed && !is_joined && shape.empty() &&
           !changes_values();
  }
  bool changes_values() const { return offset != 0 || is_negative_exp; }
  // For each of our n rows (of one part, of one expert): its row in the file.
  std::vector<int64_t> row_map(int64_t n) const;
};

}  // namespace hearth
