// Follows one JSON value through text that comes in pieces: where it ends, and whether it is valid so far.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::answers {

class JsonScanner {
 public:
  enum class Status { more, done, failed };

  // Reads on; the number of bytes that belong to the value. Stops at its end or at the first byte that cannot stand
  // there. A number ends at the byte after it.
  size_t feed(std::string_view text);
  // There is no more text: a number that stands alone is complete.
  void end();
  Status status() const { return status_; }

 private:
  enum class Where { value, first_item, first_key, key, colon, after_value, string, escape, unicode, number, literal };
  bool take(char c);  // false: `c` does not belong to the value
  bool begin_value(char c);
  bool close(char c);
  void value_done();
  bool number_is_valid() const;
  bool fail();

  Status status_ = Status::more;
  Where where_ = Where::value;
  std::vector<char> open_;  // { and [
  bool is_key_ = false;
  int n_digits_ = 0;
  std::string word_;          // the number or literal so far
  std::string_view literal_;  // what it must become
};

// The value that begins at `at`, whole.
struct JsonSpan {
  JsonScanner::Status status;
  size_t end = 0;
};
JsonSpan scan_json(std::string_view text, size_t at, bool at_end = false);

size_t skip_blanks(std::string_view text, size_t at);  // JSON's white space

}  // namespace hearth::answers
