// Keys and layouts that datasets come in: every row is understood as it is meant, or is a problem that names the key.
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "trainer/data/example_formats.h"
#include "trainer/dataset.h"

namespace hearth::train::formats_test {
namespace {

class FormatsTest : public ::testing::Test {
 protected:
  Result<Dataset> read(std::string_view text, const std::string& name = "rows.jsonl") {
    const auto path = folder_.path() / name;
    EXPECT_TRUE(write_file(path, text));
    return read_dataset(path, "auto");
  }
  // The turns of a file with one good row: "user: Hi | assistant: Hello".
  std::string turns(std::string_view text, const std::string& name = "rows.jsonl") {
    auto d = read(text, name);
    if (!d) return "error: " + d.error().to_string();
    if (d->report.n_problems > 0)
      return fmt::format("problem: line {} {} {}", d->report.problems[0].line, d->report.problems[0].field,
                         d->report.problems[0].message);
    std::string out;
    for (const ChatTurn& t : d->examples.at(0).messages) out += (out.empty() ? "" : " | ") + t.role + ": " + t.content;
    return out;
  }
  std::string problem(std::string_view text) {
    std::string out = turns(text);
    EXPECT_TRUE(out.starts_with("problem: ") || out.starts_with("error: ")) << text << " gave " << out;
    return out;
  }
  TempFolder folder_ = *TempFolder::create("formats");
};

TEST_F(FormatsTest, NamesThatAreUnambiguous) {
  const std::string wanted = "user: Is dock 4 free? | assistant: Yes.";
  for (
      const char* row : {
          R"({"conversations": [{"role": "user", "content": "Is dock 4 free?"}, {"role": "assistant", "content": "Yes."}]})",
          R"({"conversation": [{"role": "user", "content": "Is dock 4 free?"}, {"role": "assistant", "content": "Yes."}]})",
          R"({"messages": [{"from": "human", "value": "Is dock 4 free?"}, {"from": "gpt", "value": "Yes."}]})",
          R"({"messages": [{"from": "user", "content": "Is dock 4 free?"}, {"role": "model", "value": "Yes."}]})",
          R"({"messages": "[{\"role\": \"user\", \"content\": \"Is dock 4 free?\"}, {\"role\": \"assistant\", \"content\": \"Yes.\"}]"})",
          R"([{"role": "user", "content": "Is dock 4 free?"}, {"role": "assistant", "content": "Yes."}])",
          R"([[{"from": "human", "value": "Is dock 4 free?"}, {"from": "gpt", "value": "Yes."}]])",
          R"({"prompt": "Is dock 4 free?", "completion": "Yes."})",
          R"({"prompt": "Is dock 4 free?", "response": "Yes."})",
          R"({"prompt": [{"role": "user", "content": "Is dock 4 free?"}], "completion": [{"role": "assistant", "content": "Yes."}]})",
          R"({"prompt": [{"role": "user", "content": "Is dock 4 free?"}], "completion": "Yes."})",
          R"({"question": "Is dock 4 free?", "answer": "Yes."})",
          R"({"query": "Is dock 4 free?", "response": "Yes."})",
          R"({"instruction": "Is dock 4 free?", "response": "Yes."})",
          R"({"instruction": "Is dock 4 free?", "input": "", "output": "Yes."})",
          R"({"instruction": "Is dock 4 free?", "input": null, "output": "Yes.", "history": null})",
          R"({"instruction": "Is dock 4 free?", "output": "Yes.", "history": []})",
          R"({"input": "Is dock 4 free?", "output": "Yes."})",
          R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "Is dock "}, {"type": "text", "text": "4 free?"}]},
               {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}]})",
      })
    EXPECT_EQ(turns(row), wanted) << row;
}

TEST_F(FormatsTest, KeysThatChangeTheMeaningAreHonoured) {
  EXPECT_EQ(
      turns(
          R"({"instruction": "And on Sunday?", "input": "", "output": "Closed.", "history": [["On Monday?", "From 7."], ["Till?", "15."]]})"),
      "user: On Monday? | assistant: From 7. | user: Till? | assistant: 15. | user: And on Sunday? | assistant: "
      "Closed.");
  EXPECT_EQ(
      turns(
          R"({"system": "Be brief.", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})"),
      "system: Be brief. | user: Q | assistant: A");
  EXPECT_EQ(turns(R"({"system_prompt": "S", "question": "Q", "context": "C", "answer": "A"})"),
            "system: S | user: Q\n\nC | assistant: A");
  const Dataset d =
      *read(R"({"tools": "[{\"name\": \"b\", \"parameters\": {}}]", "conversations": [{"from": "human", "value": "Q"},
      {"from": "function_call", "value": "{\"name\": \"b\", \"arguments\": {\"z\": 1, \"a\": 2}}"}, {"from": "observation", "value": "42"},
      {"from": "gpt", "value": "It is 42."}]})");
  ASSERT_EQ(d.examples.size(), 1u) << d.report.problems[0].message;
  const Example& e = d.examples[0];
  EXPECT_EQ(e.tools, R"([{"type":"function","function":{"name":"b","parameters":{}}}])");
  EXPECT_EQ(e.messages[1].tool_calls,
            R"([{"id":"call00001","type":"function","function":{"name":"b","arguments":{"z":1,"a":2}}}])");
  EXPECT_EQ(e.messages[2].role, "tool");
  EXPECT_EQ(e.messages[2].tool_call_id, "call00001");
  EXPECT_EQ(e.messages[2].name, "b");
}

TEST_F(FormatsTest, CallsReasoningAndFlags) {
  const Dataset d = *read(
      R"({"messages": [{"role": "user", "content": "4?"}, {"role": "assistant", "content": "I look.", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"dock\": 4}"}}]}, {"role": "tool", "tool_call_id": "c1", "content": "free"}, {"role": "assistant", "content": "Yes.", "reasoning_content": "It is free."}]}
{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "WRONG", "weight": 0}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "right", "weight": 1}]}
{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "WRONG", "train": false}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "right"}]}
{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}], "functions": [{"name": "f"}]}
{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "T"}, {"type": "text", "text": "A"}]}]}
)");
  ASSERT_EQ(d.report.n_problems, 0) << d.report.problems[0].message;
  EXPECT_EQ(d.examples[0].messages[1].content, "I look.");
  EXPECT_EQ(d.examples[0].messages[1].tool_calls,
            R"([{"id":"c1","type":"function","function":{"name":"f","arguments":{"dock":4}}}])");
  EXPECT_EQ(d.examples[0].messages[3].reasoning, "It is free.");
  for (int i : {1, 2}) {
    EXPECT_FALSE(d.examples[i].messages[1].is_learned);
    EXPECT_TRUE(d.examples[i].messages[3].is_learned);
  }
  EXPECT_NE(d.examples[3].messages[1].tool_calls.find("\"f\""), std::string::npos);
  EXPECT_NE(d.examples[3].tools.find("\"f\""), std::string::npos);
  EXPECT_EQ(d.examples[4].messages[1].reasoning, "T");
  EXPECT_EQ(d.examples[4].messages[1].content, "A");
  const Dataset pairs = *read(
      R"({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}], "completion": [{"role": "assistant", "content": "d"}]})");
  EXPECT_FALSE(pairs.examples[0].messages[1].is_learned);  // only the completion is
  EXPECT_TRUE(pairs.examples[0].messages[3].is_learned);
}

TEST_F(FormatsTest, WhatCannotBeHonouredIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"prompt": "a", "completion": "b", "label": false})", "label"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0.5}]})",
       "messages[1].weight"},
      {R"({"messages": [{"role": "user", "content": "a", "weight": 1}, {"role": "assistant", "content": "b"}]})",
       "messages[0]"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]})",
       "no answer is marked"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, {"role": "assistant", "content": "b"}]})",
       "image_url"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "images": ["a.png"]})",
       "images"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "refusal": "no"}]})",
       "refusal"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "chosen": "x"})",
       "chosen"},
      {R"({"instruction": "a", "output": "b", "history": [["only a question"]]})", "history[0]"},
      {R"({"instruction": "a", "output": "b", "history": "what"})", "history"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{broken"}}]}]})",
       "arguments"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "tool_calls": "x"}]})",
       "tool_calls"},
      {R"({"messages": [{"role": "user", "content": "a", "reasoning_content": "x"}, {"role": "assistant", "content": "b"}]})",
       "reasoning_content"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "value": "c"}]})",
       "content and value"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "tools": "none"})",
       "tools"},
      {R"({"question": "a", "answer": "b", "response": "c"})", "response"},
      {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "conversations": []})",
       "conversations"},
      {R"({"prompt": "a", "completion": "b", "completion": "c"})", "completion"},
      {R"({"messages": [{"role": "user", "content": "a", "content": "b"}, {"role": "assistant", "content": "b"}]})",
       "content"},
      {R"({"system": "a", "messages": [{"role": "system", "content": "b"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
       "system"},
  };
  for (const auto& [row, name] : cases)
    EXPECT_NE(problem(row).find(name), std::string::npos) << row << "\n" << problem(row);
  EXPECT_NE(turns(R"({"prompt": "p", "chosen": "a", "rejected": "b"})").find("preference pair"), std::string::npos);
  EXPECT_NE(turns(R"({"data": [{"instruction": "a", "output": "b"}]})").find("\"data\""), std::string::npos);
}

TEST_F(FormatsTest, UnknownKeysAreCountedOnce) {
  const Dataset d = *read(
      "{\"id\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"a\", \"ts\": 1}, {\"role\": \"assistant\", "
      "\"content\": \"b\", \"ts\": 2}]}\n"
      "{\"id\": 2, \"src\": \"x\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", "
      "\"content\": \"b\"}]}\n");
  EXPECT_TRUE(d.report.valid());
  EXPECT_EQ(unused_keys_in_words(d.report.unused_keys),
            "not used: id (2 times), messages[].ts (2 times), src (1 times)");
}

TEST_F(FormatsTest, EveryLayoutGivesEveryRow) {
  const std::string a = R"({"instruction": "a", "output": "1"})", b = R"({"instruction": "b", "output": "2"})";
  const std::string pretty = "{\n  \"instruction\": \"c\",\n  \"output\": \"3\"\n}";
  for (const std::string& text :
       {a + "\n" + b + "\n" + pretty, "[" + a + "," + b + "," + pretty + "]",
        "[" + a + "]\n[" + b + ", " + pretty + "]\n", "[" + a + "," + b + "]\n" + pretty, a + b + pretty,
        pretty + "\n" + a + "\n\n" + b, "[\n" + a + ",\n" + b + "\n]\n[\n" + pretty + "\n]",
        "[]\n" + a + "\n[" + b + "][" + pretty + "]"}) {
    const auto d = read(text, "rows.json");
    ASSERT_TRUE(d) << text << d.error().to_string();
    EXPECT_TRUE(d->report.valid()) << text << (d->report.problems.empty() ? "" : d->report.problems[0].message);
    EXPECT_EQ(d->examples.size(), 3u) << text;
  }
}

TEST_F(FormatsTest, DamageIsNeverAPart) {
  const std::string a = R"({"instruction": "a", "output": "1"})";
  for (const std::string& text :
       {"[" + a + ",", "[" + a + ",]", "[" + a, "[" + a + ", {\"instruction\": \"b\", \"out", "[" + a + "] x", a + " x",
        "[" + a + "}\n", "[" + a + " " + a + "]", a + ",\n" + a, a + "\n{\"instruction\": \"b\"", a + "\n\"text\"",
        a + "\n]", "[" + a + ", 1]", "[" + a + ",," + a + "]"}) {
    const auto d = read(text, "rows.json");
    ASSERT_TRUE(d) << text << d.error().to_string();
    EXPECT_FALSE(d->report.valid()) << text;
  }
  const auto lines = read(a + "\n{\"instruction\": \"b\"\n" + a + "\n{\"instruction\": \"unclosed}\n" + a + "\n");
  EXPECT_EQ(lines->report.n_problems, 2);  // and the good lines behind them are read
  EXPECT_EQ(lines->examples.size(), 3u);
  EXPECT_EQ(lines->report.problems[1].line, 4);
  EXPECT_TRUE(read("[" + a + ",")->report.is_cut);
}

TEST_F(FormatsTest, TablesWithQuotesAndOtherSeparators) {
  const std::string wanted = "user: Say \"hi\",\nplease | assistant: Hi; there";
  EXPECT_EQ(turns("instruction,output\n\"Say \"\"hi\"\",\nplease\",Hi; there\n", "a.csv"), wanted);
  EXPECT_EQ(turns("\xef\xbb\xbfprompt;completion\r\n\"Say \"\"hi\"\",\nplease\";\"Hi; there\"\r\n", "b.csv"), wanted);
  EXPECT_EQ(turns("question\tanswer\nQ, with; all\tA", "c.tsv"), "user: Q, with; all | assistant: A");
  EXPECT_EQ(turns("messages,id\n\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"a\"\"}, {\"\"role\"\": "
                  "\"\"assistant\"\", \"\"content\"\": \"\"b\"\"}]\",7\n",
                  "d.csv"),
            "user: a | assistant: b");
  EXPECT_NE(turns("instruction,output\na\n", "e.csv").find("1 cells"), std::string::npos);
  EXPECT_NE(turns("instruction,output\na,\"b\n", "f.csv").find("never closed"), std::string::npos);
  EXPECT_NE(turns("a,b\n1,2\n", "g.csv").find("keys (a, b)"), std::string::npos);
  EXPECT_NE(turns("instruction,instruction\n1,2\n", "h.csv").find("two columns"), std::string::npos);
  EXPECT_EQ(read("instruction,output\na,b\nc,d\n", "i.csv")->report.n_examples, 2);
}

TEST_F(FormatsTest, EncodingsAreReadOrNamed) {
  const std::string row = R"({"instruction": "Gr\u00fc\u00dfe", "output": "ja"})";
  std::string utf16 = "\xff\xfe";
  for (char c : row) utf16 += c, utf16 += '\0';
  EXPECT_EQ(turns(utf16),
            "user: Gr\xc3\xbc\xc3\x9f"
            "e | assistant: ja");
  EXPECT_EQ(turns(utf16.substr(2)),
            "user: Gr\xc3\xbc\xc3\x9f"
            "e | assistant: ja");
  const std::string latin = turns(
      "{\"instruction\": \"Gr\xfc\xdf"
      "e aus M\xfcnchen, sch\xf6ne Gr\xfc\xdf"
      "e\", \"output\": \"ja\"}");
  EXPECT_NE(latin.find("not valid UTF-8"), std::string::npos) << latin;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"PAR1\x15\x04" + std::string(9, '\0'), "Parquet"},
      {"%PDF-1.7\n%\xe2\xe3\n", "PDF"},
      {"PK\x03\x04\x14" + std::string(30, '\0'), "ZIP"},
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
      {"<!DOCTYPE html><html>", "web page"}};
  for (const auto& [bytes, name] : files) {
    const auto d = read(bytes, "mine.jsonl");
    ASSERT_FALSE(d);
    EXPECT_NE(d.error().message.find(name), std::string::npos) << d.error().message;
    EXPECT_NE(d.error().message.find("mine.jsonl"), std::string::npos) << d.error().message;
  }
  const auto sheet = read("PK\x03\x04\x14" + std::string(30, '\0'), "prices.xlsx");
  EXPECT_NE(sheet.error().message.find("Excel"), std::string::npos) << sheet.error().message;
}

TEST_F(FormatsTest, CompressedFilesAreReadWhole) {
  // printf '%s\n' '{"instruction": "a", "output": "1"}' | gzip -n | xxd -i, and the same by zstd
  static constexpr unsigned char kGzip[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56, 0xca, 0xcc, 0x2b, 0x2e, 0x29, 0x2a,
      0x4d, 0x2e, 0xc9, 0xcc, 0xcf, 0x53, 0xb2, 0x52, 0x50, 0x4a, 0x54, 0xd2, 0x51, 0x50, 0xca, 0x2f, 0x2d, 0x29,
      0x28, 0x2d, 0x01, 0x71, 0x0d, 0x95, 0x6a, 0xb9, 0x00, 0x37, 0xe6, 0x59, 0x11, 0x24, 0x00, 0x00, 0x00};
  static constexpr unsigned char kZstd[] = {
      0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x21, 0x01, 0x00, 0x7b, 0x22, 0x69, 0x6e, 0x73, 0x74, 0x72, 0x75,
      0x63, 0x74, 0x69, 0x6f, 0x6e, 0x22, 0x3a, 0x20, 0x22, 0x61, 0x22, 0x2c, 0x20, 0x22, 0x6f, 0x75, 0x74,
      0x70, 0x75, 0x74, 0x22, 0x3a, 0x20, 0x22, 0x31, 0x22, 0x7d, 0x0a, 0x8d, 0xd1, 0x38, 0x69};
  const std::string gzip(reinterpret_cast<const char*>(kGzip), sizeof kGzip),
      zstd(reinterpret_cast<const char*>(kZstd), sizeof kZstd);
  EXPECT_EQ(turns(gzip, "rows.jsonl.gz"), "user: a | assistant: 1");
  EXPECT_EQ(turns(gzip + gzip, "rows.jsonl.gz"), "user: a | assistant: 1");
  EXPECT_EQ(turns(zstd, "rows.jsonl.zst"), "user: a | assistant: 1");
  EXPECT_EQ(turns(gzip, "upload"), "user: a | assistant: 1");  // known by its bytes
  const auto cut = read(gzip.substr(0, gzip.size() - 12), "rows.jsonl.gz");
  EXPECT_TRUE(!cut || !cut->report.valid());
}

TEST_F(FormatsTest, TheUsersNameIsTheOneInErrors) {
  ASSERT_TRUE(write_file(folder_.path() / "77.jsonl", ""));
  const auto d = inspect_dataset(folder_.path() / "77.jsonl", "auto", 5, {}, "my questions.jsonl");
  ASSERT_FALSE(d);
  EXPECT_NE(d.error().to_string().find("my questions.jsonl"), std::string::npos);
  EXPECT_EQ(d.error().to_string().find("77.jsonl"), std::string::npos);
}

TEST_F(FormatsTest, OnlyTheBeginningIsReadForAPreview) {
  const auto path = folder_.path() / "big.jsonl";
  std::ofstream file(path);
  for (int i = 0; i < 100; ++i) file << R"({"instruction": "a", "output": "1"})" << '\n';
  file << "broken\n";
  file.close();
  EXPECT_EQ(first_examples(path, "auto", 3)->size(), 3u);
  const DatasetReport report = *inspect_dataset(path, "auto");
  EXPECT_EQ(report.n_distinct, 1);
  EXPECT_EQ(report.characters.longest, 2);
}

}  // namespace
}  // namespace hearth::train::formats_test
