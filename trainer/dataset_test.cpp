// Datasets: every format, and every kind of damage named by line and field.
#include "trainer/dataset.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "trainer/data/example_formats.h"

namespace hearth::train::dataset_test {
namespace {

class DatasetTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, std::string_view text) {
    auto path = folder_.path() / name;
    EXPECT_TRUE(write_file(path, text));
    return path;
  }
  TempFolder folder_ = *TempFolder::create("dataset");
};

TEST_F(DatasetTest, MessagesWithBomCrlfAndBlankLines) {
  const auto path = file("a.jsonl",
                         "\xef\xbb\xbf{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": "
                         "\"assistant\", \"content\": \"Hello\"}]}\r\n"
                         "\r\n"
                         "{\"messages\": [{\"role\": \"system\", \"content\": \"S\"}, {\"role\": \"user\", "
                         "\"content\": \"Q\"}, {\"role\": \"assistant\", \"content\": \"A\"}]}");
  const Dataset d = *read_dataset(path, "auto");
  EXPECT_EQ(d.report.format, DataFormat::messages);
  EXPECT_TRUE(d.report.valid());
  ASSERT_EQ(d.examples.size(), 2u);
  EXPECT_EQ(d.examples[0].messages[1], (ChatTurn{"assistant", "Hello"}));
  EXPECT_EQ(d.examples[1].line, 3);
}

TEST_F(DatasetTest, AlpacaAndShareGpt) {
  const Dataset a = *read_dataset(file("a.jsonl", R"({"instruction": "Add", "input": "1 2", "output": "3"})"), "auto");
  EXPECT_EQ(a.examples[0].messages, (std::vector<ChatTurn>{{"user", "Add\n\n1 2"}, {"assistant", "3"}}));
  const Dataset s = *read_dataset(
      file("s.jsonl", R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})"),
      "auto");
  EXPECT_EQ(s.report.format, DataFormat::sharegpt);
  EXPECT_EQ(s.examples[0].messages, (std::vector<ChatTurn>{{"user", "Q"}, {"assistant", "A"}}));
}

TEST_F(DatasetTest, JsonArrayKeepsLines) {
  const Dataset d =
      *read_dataset(file("a.json",
                         "[\n {\"instruction\": \"a, ]\", \"output\": \"x\\\"]\"},\n\n {\"instruction\": \"b\",\n  "
                         "\"output\": \"\"},\n {\"instruction\": \"c\", \"output\": \"z\"}\n]\n"),
                    "auto");
  ASSERT_EQ(d.examples.size(), 2u);
  EXPECT_EQ(d.examples[0].messages[1].content, "x\"]");
  EXPECT_EQ(d.examples[1].line, 6);
  ASSERT_EQ(d.report.problems.size(), 1u);
  EXPECT_EQ(d.report.problems[0].line, 4);
}

TEST_F(DatasetTest, ProblemsNameLineAndField) {
  const auto path = file(
      "bad.jsonl",
      "{\"messages\": [{\"role\": \"user\", \"content\": \"Q\"}, {\"role\": \"assistant\", \"content\": \"A\"}]}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"Q\"}, {\"role\": \"robot\", \"content\": \"A\"}]}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": 5}]}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"Q\"}]}\n"
      "{\"messages\": []}\n"
      "not json\n"
      "{\"text\": \"other format\"}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"\xff\"}]}\n"
      "{\"messages\": [{\"role\": \"assistant\", \"content\": \"A\"}]}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"Q\"}, {\"role\": \"assistant\", \"content\": \"  \"}]}\n");
  const DatasetReport r = *inspect_dataset(path, "auto");
  EXPECT_EQ(r.n_examples, 1);
  EXPECT_FALSE(r.valid());
  ASSERT_EQ(r.n_problems, 9);
  const std::vector<std::pair<int, std::string>> expected = {{2, "messages[1].role"},
                                                             {3, "messages[0].content"},
                                                             {4, "messages"},
                                                             {5, "messages"},
                                                             {6, ""},
                                                             {7, "messages"},
                                                             {8, ""},
                                                             {9, "messages[0]"},
                                                             {10, "messages[1].content"}};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(r.problems[i].line, expected[i].first);
    EXPECT_EQ(r.problems[i].field, expected[i].second) << r.problems[i].message;
    EXPECT_FALSE(r.problems[i].message.empty());
  }
  EXPECT_EQ(r.preview.size(), 1u);
}

TEST_F(DatasetTest, ProblemsAreBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "{\"text\": 1}\n";
  const DatasetReport r = *inspect_dataset(file("many.jsonl", text), "text");
  EXPECT_EQ(r.n_problems, 100);
  EXPECT_EQ(r.problems.size(), 20u);
}

TEST_F(DatasetTest, LimitsHold) {
  DataLimits limits;
  limits.max_line_bytes = 64;
  const DatasetReport r =
      *inspect_dataset(file("long.jsonl", "{\"text\": \"" + std::string(1 << 20, 'x') + "\"}\n{\"text\": \"short\"}\n"),
                       "auto", 5, limits);
  EXPECT_EQ(r.n_examples, 1);
  ASSERT_EQ(r.n_problems, 1);
  EXPECT_EQ(r.problems[0].line, 1);
  limits.max_examples = 1;
  EXPECT_EQ(read_dataset(file("two.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n"), "auto", limits).error().code,
            Code::resource_exhausted);
  limits.max_file_bytes = 3;
  EXPECT_EQ(inspect_dataset(file("big.jsonl", "{\"text\": \"a\"}\n"), "auto", 5, limits).error().code,
            Code::resource_exhausted);
}

TEST_F(DatasetTest, RunningTextIsCutIntoDocuments) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "Paragraph " + std::to_string(i) + " says a few words about nothing in particular.\n\n";
  const Dataset d = *read_dataset(file("a.txt", text), "auto");
  EXPECT_EQ(d.report.format, DataFormat::text);
  ASSERT_GT(d.examples.size(), 3u);
  std::string joined;
  for (const Example& e : d.examples) joined += e.text;
  EXPECT_EQ(joined, text);
}

TEST_F(DatasetTest, FoldersAreReadInOrderAndNameTheFile) {
  file("b.jsonl", "{\"text\": \"second\"}\n{\"text\": 2}\n");
  file("a.md", "first\n");
  file("c.jsonl", "{\"instruction\": \"I\", \"output\": \"O\"}\n");
  file("ignored.bin", "x");
  const Dataset d = *read_dataset(folder_.path(), "auto");
  ASSERT_EQ(d.examples.size(), 3u);  // each file in its own format
  EXPECT_EQ(d.examples[0].text, "first\n");
  EXPECT_EQ(d.examples[2].messages.size(), 2u);
  EXPECT_EQ(d.report.problems.at(0).message.rfind("b.jsonl: ", 0), 0u);
  EXPECT_EQ(unused_keys_in_words(d.report.unused_keys), "not used: file ignored.bin (1 times)");
}

TEST_F(DatasetTest, UselessFilesAreErrors) {
  EXPECT_EQ(inspect_dataset(folder_.path() / "none.jsonl", "auto").error().code, Code::not_found);
  EXPECT_FALSE(inspect_dataset(file("empty.jsonl", ""), "auto"));
  EXPECT_FALSE(inspect_dataset(file("keys.jsonl", "{\"question\": 1}\n"), "auto"));
  EXPECT_FALSE(inspect_dataset(file("a.txt", "words"), "alpaca"));
  EXPECT_FALSE(inspect_dataset(file("b.txt", "words"), "xml"));
}

TEST_F(DatasetTest, NameDecidesWhereThePathDoesNot) {
  const auto path = file("0123abcd", "Some words.\n");
  EXPECT_EQ(inspect_dataset(path, "auto", 5, {}, "notes.txt")->n_examples, 1);
}

}  // namespace
}  // namespace hearth::train::dataset_test
