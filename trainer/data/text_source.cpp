// libarchive takes off what compresses; base/text_encoding.h knows what the bytes are.
#include "trainer/data/text_source.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>

#include "base/files.h"
#include "base/utf8.h"

namespace hearth::train {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr size_t kPieceBytes = size_t{1} << 18;
constexpr size_t kSampleBytes = 4096;
constexpr size_t kTarMark = 257;  // where "ustar" stands

struct ArchiveClose {
  void operator()(archive* a) const { archive_read_free(a); }
};

// A file's bytes after decompression. What is not compressed passes through.
class TextSource::Bytes {
 public:
  static Result<std::unique_ptr<Bytes>> open(const fs::path& path, const std::string& name) {
    TRY(open_file(path, 0));  // its own error: not found, not allowed
    auto out = std::make_unique<Bytes>();
    out->name_ = name;
    out->archive_.reset(archive_read_new());
    for (auto* support : {archive_read_support_filter_gzip, archive_read_support_filter_zstd,
                          archive_read_support_filter_bzip2, archive_read_support_filter_xz})
      support(out->archive_.get());  // not "all": some of those start programs
    archive_read_support_format_raw(out->archive_.get());
    archive_read_support_format_empty(out->archive_.get());
    archive_entry* entry = nullptr;
    if (archive_read_open_filename(out->archive_.get(), path.c_str(), kPieceBytes) != ARCHIVE_OK) return out->damaged();
    const int status = archive_read_next_header(out->archive_.get(), &entry);
    out->is_over_ = status == ARCHIVE_EOF;
    if (status != ARCHIVE_OK && !out->is_over_) return out->damaged();
    return out;
  }

  Result<size_t> read(char* to, size_t n) {
    if (is_over_) return size_t{0};
    const la_ssize_t got = archive_read_data(archive_.get(), to, n);
    if (got < 0) return damaged();
    is_over_ = got == 0;
    return static_cast<size_t>(got);
  }

 private:
  Error damaged() const {
    const char* why = archive_error_string(archive_.get());
    return error(Code::data_loss, "{} cannot be read to its end ({}); it was cut off or is damaged: get it again",
                 name_, why ? why : "unknown damage");
  }

  std::unique_ptr<archive, ArchiveClose> archive_;
  std::string name_;
  bool is_over_ = false;
};

namespace {

struct Advice {
  std::string_view extension, name, advice;
};
constexpr std::array kAdvice = {
    Advice{".xlsx", "an Excel workbook", "save the sheet as CSV (UTF-8)"},
    Advice{".xls", "an Excel workbook", "save the sheet as CSV (UTF-8)"},
    Advice{".ods", "a spreadsheet", "save the sheet as CSV (UTF-8)"},
    Advice{".docx", "a Word document", "save it as plain text (UTF-8)"},
    Advice{".doc", "a Word document", "save it as plain text (UTF-8)"},
    Advice{".odt", "a text document", "save it as plain text (UTF-8)"},
    Advice{".zip", "a ZIP archive", "unpack it and add the files in it one by one"},
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

Error no_text(const std::string& name, const DetectedText& found) {
  const std::string extension = lower(fs::path(name).extension().string());
  for (const Advice& a : kAdvice)
    if (a.extension == extension)
      return error(Code::invalid_argument, "{} is {}, not text; {}", name, a.name, a.advice);
  return error(Code::invalid_argument, "{} is {}, not text{}{}", name, found.name, found.advice.empty() ? "" : "; ",
               found.advice);
}

// Text files that are something else than data.
std::optional<Error> other_text(const std::string& name, std::string_view head) {
  if (head.size() > kTarMark + 5 && head.substr(kTarMark, 5) == "ustar")
    return error(Code::invalid_argument, "{} is a tar archive; unpack it and add the files in it one by one", name);
  const size_t begin = std::min(head.find_first_not_of(" \t\r\n"), head.size());
  const std::string start = lower(std::string(head.substr(begin, 64)));
  if (start.starts_with("version https://git-lfs"))
    return error(Code::invalid_argument, "{} is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`",
                 name);
  if (start.starts_with("<!doctype html") || start.starts_with("<html"))
    return error(Code::invalid_argument,
                 "{} is a web page, not data; download the file itself (\"raw\"), or save the page as plain text",
                 name);
  return std::nullopt;
}

bool is_wide(TextEncoding e) {
  return e != TextEncoding::utf8 && e != TextEncoding::other;
}

}  // namespace

TextSource::TextSource(std::unique_ptr<Bytes> bytes, std::string name, uint64_t max_bytes)
    : bytes_(std::move(bytes)), name_(std::move(name)), max_bytes_(max_bytes) {}
TextSource::TextSource(TextSource&&) noexcept = default;
TextSource::~TextSource() = default;

Result<TextSource> TextSource::open(const fs::path& path, const std::string& name, uint64_t max_bytes) {
  TextSource out(TRY(Bytes::open(path, name)), name, max_bytes);
  TRY(out.begin());
  return out;
}

Result<void> TextSource::begin() {
  first_.resize(kSampleBytes);
  size_t n = 0;
  while (n < kSampleBytes) {
    const size_t got = TRY(bytes_->read(first_.data() + n, kSampleBytes - n));
    n += got;
    if (got == 0) break;
  }
  first_.resize(n);
  if (auto bad = other_text(name_, first_)) return *bad;
  const DetectedText found = detect_text(first_, n < kSampleBytes);
  if (is_wide(found.encoding)) wide_.emplace(name_);
  if (found.encoding == TextEncoding::utf8) first_.erase(0, found.n_mark_bytes);
  if (found.encoding == TextEncoding::other && found.is_binary) return no_text(name_, found);
  return {};
}

Result<bool> TextSource::read(std::string& piece) {
  piece.clear();
  while (piece.empty() && !is_over_) {
    std::string bytes = std::exchange(first_, {});
    if (bytes.empty()) {
      bytes.resize(kPieceBytes);
      bytes.resize(TRY(bytes_->read(bytes.data(), bytes.size())));
      is_over_ = bytes.empty();
    }
    if (!wide_)
      piece = std::move(bytes);
    else if (is_over_)
      TRY(wide_->finish(piece));
    else
      TRY(wide_->feed(bytes, piece));
  }
  n_bytes_ += piece.size();
  if (n_bytes_ > max_bytes_)
    return error(Code::resource_exhausted, "{} holds more text than the limit of {} bytes", name_, max_bytes_);
  return !piece.empty();
}

bool is_utf8(std::string_view text) {
  return valid_utf8_prefix(text) == text.size();
}

std::string not_utf8(std::string_view text) {
  const DetectedText found = detect_text(text);
  if (found.encoding != TextEncoding::other || found.advice.empty())
    return "is not valid UTF-8; save the file as UTF-8";
  return fmt::format("is not valid UTF-8, it looks like {}; {}", found.name, found.advice);
}

std::string text_extension(const fs::path& name) {
  fs::path rest = name;
  for (std::string_view packed : {".gz", ".zst", ".zstd", ".bz2", ".xz"})
    if (lower(rest.extension().string()) == packed) rest = rest.stem();
  return lower(rest.extension().string());
}

}  // namespace hearth::train
