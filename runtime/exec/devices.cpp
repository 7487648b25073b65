// See devices.h.
#include "runtime/exec/devices.h"

#include <algorithm>
#include <cctype>

#include "hwdetect/cpu_features.h"
#include "hwdetect/gpu.h"
#include "runtime/backend/cuda/module.h"
#include "runtime/backend/emulated/emulated_backend.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/cuda_kernels.h"

namespace hearth {
namespace {

std::string_view index_of(std::string_view name) {
  return name.substr(std::min(name.find(':'), name.size()));
}

// What stands behind a name: ":number", ":dtype of activations", or both; of the emulator also the memory that it has.
struct Choice {
  int number = 0;
  Dtype activations = Dtype::f32;
  int64_t memory_kib = 0;
};

// Takes ":640KiB" away from the end.
int64_t take_memory(std::string_view& rest) {
  constexpr std::string_view kUnit = "KiB";
  const size_t colon = rest.rfind(':');
  if (!rest.ends_with(kUnit) || colon == std::string_view::npos) return 0;
  const std::string_view digits = rest.substr(colon + 1, rest.size() - colon - 1 - kUnit.size());
  if (digits.empty() || digits.size() > 12 || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return 0;
  rest = rest.substr(0, colon);
  return std::stoll(std::string(digits));
}

Result<Choice> choice_of(std::string_view rest, Dtype usual) {
  const std::string_view whole = rest;
  Choice out{0, usual, take_memory(rest)};
  const auto is_next = [&](std::string_view word) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    return true;
  };
  if (rest.size() > 1 && std::isdigit(static_cast<unsigned char>(rest[1])) != 0) {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end <= 3) out.number = std::stoi(std::string(rest.substr(1, end - 1))), rest.remove_prefix(end);
  }
  if (is_next(":f32"))
    out.activations = Dtype::f32;
  else if (is_next(":bf16"))
    out.activations = Dtype::bf16;
  if (rest.empty()) return out;
  return error(Code::invalid_argument,
               "\"{}\" is no choice of a device: write its number, :0 to :99, then :f32 or :bf16, what "
               "it computes with, or leave either away",
               whole);
}

// Whether it is the deterministic CPU.
Result<bool> order_in(std::string_view index) {
  if (index.empty() || index == index_of(kDeterministicHost)) return !index.empty();
  return error(Code::invalid_argument, "there is one cpu, which computes with f32: write {} or {}, not cpu{}",
               kHostDevice, kDeterministicHost, index);
}

Result<std::unique_ptr<Backend>> open_cuda(std::string_view rest) {
  const Choice choice = TRY(choice_of(rest, Dtype::bf16));
  if (choice.memory_kib > 0)
    return error(Code::invalid_argument, "the memory of a GPU is what it is: leave {} away", rest);
  return TRY(cuda_module())->open(choice.number, choice.activations);
}

Result<std::unique_ptr<Backend>> open_emulated(std::string_view rest) {
  const Choice choice = TRY(choice_of(rest, Dtype::f32));
  return std::unique_ptr<Backend>(new EmulatedBackend(emulated::kernels(), static_cast<uint64_t>(choice.number),
                                                      choice.activations, choice.memory_kib));
}

struct Entry {
  std::string_view name;
  Result<std::unique_ptr<Backend>> (*open)(std::string_view index, int n_threads);
};

constexpr Entry kBackends[] = {
    {"cpu",
     [](std::string_view index, int n_threads) -> Result<std::unique_ptr<Backend>> {
       return std::unique_ptr<Backend>(open_cpu(n_threads, TRY(order_in(index))));
     }},
    {"cuda", [](std::string_view index, int) { return open_cuda(index); }},
    {"emulated", [](std::string_view index, int) { return open_emulated(index); }},
};

Result<const Entry*> entry_of(std::string_view name) {
  for (const Entry& entry : kBackends)
    if (entry.name == name.substr(0, name.find(':'))) return &entry;
  return error(Code::invalid_argument,
               "there is no device \"{}\": cpu, {}, cuda[:number][:f32] or emulated[:seed][:bf16]", name,
               kDeterministicHost);
}

}  // namespace

std::vector<std::string> devices_to_try(std::string& why_none) {
  std::vector<std::string> out;
  const Result<const CudaModule*> module = cuda_module();
  const int n = module ? (*module)->n_devices() : 0;
  for (int i = 0; i < n; ++i) out.push_back("cuda:" + std::to_string(i));
  if (out.empty() && has_nvidia_gpu())
    why_none = module ? "the NVIDIA driver does not answer: check `nvidia-smi`" : module.error().message;
  return out;
}

std::unique_ptr<CpuBackend> open_cpu(int n_threads, bool fixed_order) {
  return std::make_unique<CpuBackend>(cpu_kernels(cpu_features(), fixed_order),
                                      n_threads > 0 ? n_threads : Team::default_threads());
}

Result<void> check_device_name(std::string_view name) {
  if (name == kAnyDevice) return {};
  const bool is_host = TRY(entry_of(name))->name == kHostDevice;
  if (is_host) TRY(order_in(index_of(name)));
  if (!is_host) TRY(choice_of(index_of(name), Dtype::f32));
  return {};
}

Result<Device> choose_among(std::span<const std::string> accelerators, std::string why_none, const OpenOn& open) {
  std::string reason = std::move(why_none);
  for (const std::string& name : accelerators) {
    const Result<void> opened = open(name);
    if (opened) return Device{name, ""};
    reason += fmt::format("{}{}: {}", reason.empty() ? "" : "; ", name, opened.error().to_string());
  }
  TRY(open(std::string(kHostDevice)));
  return Device{std::string(kHostDevice), std::move(reason)};
}

Result<Device> choose_device(const std::string& wanted, const OpenOn& open) {
  TRY(check_device_name(wanted));
  if (wanted == kAnyDevice) {
    std::string why_none;
    const std::vector<std::string> accelerators = devices_to_try(why_none);
    return choose_among(accelerators, std::move(why_none), open);
  }
  if (is_host_device(wanted))
    TRY(open(wanted));
  else
    TRY_WITH(open(wanted), "while opening {}", wanted);
  return Device{wanted, ""};
}

Result<std::unique_ptr<Backend>> open_device(std::string_view name, int n_threads) {
  return TRY(entry_of(name))->open(index_of(name), n_threads);
}

}  // namespace hearth
