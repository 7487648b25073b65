// Named chat templates, and what generation_config.json means.
#include "model_store/formats/text_side.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/python_json.h"
#include "model_store/formats/save.h"

namespace hearth::text_side_test {
namespace {
namespace fs = std::filesystem;

fs::path golden() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16";
}

// A folder with the golden's tokenizer and no template.
struct Folder {
  TempFolder made = *TempFolder::create("text_side");
  fs::path path = made.path() / "m";
  Json config;
  Folder() {
    fs::create_directory(path);
    fs::copy_file(golden() / "tokenizer.json", path / "tokenizer.json");
    config = *parse_json(*read_file(golden() / "tokenizer_config.json"));
    config.erase("chat_template");
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    EXPECT_TRUE(write_file(path / name, text));
  }
  LoadedModel load() const {
    write("tokenizer_config.json", dump_json(config));
    auto model = load_text_side(path);
    EXPECT_TRUE(model) << model.error().to_string();
    return *std::move(model);
  }
};

std::string rendered(const LoadedModel& model, std::string_view tools) {
  auto text = render_chat(model, {.messages_json = "[]", .tools_json = tools});
  return text ? text->text : "error: " + text.error().message;
}

void expect_both(const LoadedModel& model) {
  EXPECT_EQ(rendered(model, ""), "plain");
  EXPECT_EQ(rendered(model, "[{}]"), "with tools");
  EXPECT_EQ(rendered(model, "[]"), "with tools");  // the library asks only whether there is a list
}

TEST(NamedTemplates, RequestsWithToolsUseTheirs) {
  {
    Folder list;
    list.config["chat_template"] = {{{"name", "default"}, {"template", "plain"}},
                                    {{"name", "rag"}, {"template", "{% broken"}},
                                    {{"name", "tool_use"}, {"template", "with tools"}}};
    expect_both(list.load());
  }
  {
    Folder object;
    object.config["chat_template"] = {{"default", "plain"}, {"tool_use", "with tools"}};
    expect_both(object.load());
  }
  {
    Folder files;
    files.config["chat_template"] = "of an older version";
    files.write("chat_template.jinja", "plain");
    files.write("additional_chat_templates/tool_use.jinja", "with tools");
    expect_both(files.load());
  }
  {
    Folder processor;
    processor.write(
        "chat_template.json",
        R"({"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "with tools"}]})");
    expect_both(processor.load());
  }
}

TEST(NamedTemplates, OneTemplateServesBoth) {
  Folder one;
  one.config["chat_template"] = "{{ 'tools' if tools else 'plain' }}";
  const LoadedModel model = one.load();
  EXPECT_EQ(rendered(model, ""), "plain");
  EXPECT_EQ(rendered(model, "[{}]"), "tools");
}

TEST(NamedTemplates, WithoutADefaultOnlyToolsAreAnswered) {
  Folder files;
  files.config["chat_template"] = "plain";  // files win over it, all of them together
  files.write("additional_chat_templates/tool_use.jinja", "with tools");
  files.write("additional_chat_templates/rag.jinja", "rag");
  const LoadedModel model = files.load();
  EXPECT_EQ(rendered(model, "[{}]"), "with tools");
  EXPECT_EQ(rendered(model, ""), "error: the model has chat templates called rag, tool_use, but none called default");
}

TEST(NamedTemplates, ABrokenOneIsAnErrorWhereItIsUsed) {
  Folder list;
  list.config["chat_template"] = {{{"name", "default"}, {"template", "plain"}},
                                  {{"name", "tool_use"}, {"template", "{% if"}}};
  const LoadedModel model = list.load();
  EXPECT_EQ(rendered(model, ""), "plain");
  EXPECT_TRUE(rendered(model, "[]").starts_with("error: ")) << rendered(model, "[]");
}

TEST(NamedTemplates, GgufCarriesThemThereAndBack) {
  Folder list;
  fs::copy(golden(), list.made.path() / "whole", fs::copy_options::recursive);
  const fs::path whole = list.made.path() / "whole";
  fs::remove(whole / "chat_template.jinja");
  list.config["chat_template"] = {{{"name", "default"}, {"template", "plain"}},
                                  {{"name", "tool_use"}, {"template", "with tools"}}};
  ASSERT_TRUE(write_file(whole / "tokenizer_config.json", dump_json(list.config)));
  auto model = load_model(whole);
  ASSERT_TRUE(model) << model.error().to_string();
  const ModelToSave to_save{model->config, model->weights, model->generation, whole};
  auto saved = save_gguf(list.made.path() / "m.gguf", to_save, Dtype::f32);
  ASSERT_TRUE(saved) << saved.error().to_string();
  auto gguf = load_model(list.made.path() / "m.gguf");
  ASSERT_TRUE(gguf) << gguf.error().to_string();
  expect_both(*gguf);
  const ModelToSave back{gguf->config, gguf->weights, gguf->generation, gguf->path};
  ASSERT_TRUE(save_hf_folder(list.made.path() / "back", back, Dtype::f32));
  auto again = load_model(list.made.path() / "back");
  ASSERT_TRUE(again) << again.error().to_string();
  expect_both(*again);
}

GenerationDefaults defaults_of(const std::string& generation_config) {
  auto out = generation_from_hf("{}", generation_config);
  EXPECT_TRUE(out) << out.error().to_string();
  return out ? *out : GenerationDefaults();
}

TEST(GenerationDefaults, WhatTheLibraryCallsOffIsOff) {
  for (const char* value : {"-1", "0", "null", "0.0", "-1.0"}) {
    const GenerationDefaults out = defaults_of(fmt::format(R"({{"top_k": {}}})", value));
    EXPECT_EQ(out.top_k, std::nullopt) << value;
    EXPECT_TRUE(out.ignored.empty()) << value;
  }
  EXPECT_EQ(defaults_of(R"({"top_k": 20})").top_k, 20);
  EXPECT_EQ(defaults_of(R"({"top_k": 20.0})").top_k, 20);
  EXPECT_EQ(defaults_of(R"({"top_p": 1.5})").top_p, 1);
  EXPECT_EQ(defaults_of(R"({"top_p": 0, "do_sample": true})").top_p, 0);
  EXPECT_EQ(defaults_of(R"({"temperature": 0, "do_sample": true})").temperature, 0);
  EXPECT_EQ(defaults_of(R"({"temperature": 0.6, "do_sample": false})").temperature, 0);
  EXPECT_EQ(defaults_of(R"({"temperature": 0.6, "do_sample": true})").temperature, 0.6);
  EXPECT_EQ(defaults_of(R"({"temperature": null, "min_p": null})").temperature, std::nullopt);
}

TEST(GenerationDefaults, WhatMeansNothingIsLeftOutAndSaid) {
  for (const char* text :
       {R"({"temperature": -1})", R"({"top_p": -0.5})", R"({"repetition_penalty": 0})", R"({"min_p": -1})",
        R"({"top_k": "many"})", R"({"temperature": NaN})", R"({"temperature": Infinity})", R"({"top_p": [1]})",
        R"({"repetition_penalty": -Infinity})"}) {
    const GenerationDefaults out = defaults_of(text);
    EXPECT_EQ(out.ignored.size(), 1u) << text;
    EXPECT_FALSE(out.temperature || out.top_p || out.min_p || out.top_k || out.repetition_penalty) << text;
  }
  EXPECT_EQ(defaults_of(R"({"temperature": 1e6})").temperature, 100);
  EXPECT_EQ(defaults_of(R"({"top_k": 1e12})").top_k, 1000000000);
}

// Literals that only Python writes: fine where nobody looks, an error by name where somebody does.
TEST(PythonJson, LiteralsOfPython) {
  const std::string config = *read_file(golden() / "config.json");
  const size_t brace = config.find('{') + 1;
  auto with = [&](const std::string& extra) { return config_from_hf(std::string(config).insert(brace, extra + ", ")); };
  EXPECT_TRUE(with(R"("time_limit": [0, Infinity], "x": {"y": NaN}, "z": -Infinity, "w": "NaN, Infinity \" NaN")"));
  Json parsed = *parse_json(config);
  for (const char* key : {"rms_norm_eps", "hidden_size", "num_hidden_layers", "vocab_size"})
    for (const char* literal : {"NaN", "Infinity", "-Infinity"}) {
      Json changed = parsed;
      changed[key] = "@";
      std::string text = dump_json(changed);
      text.replace(text.find("\"@\""), 3, literal);
      auto got = config_from_hf(text);
      ASSERT_FALSE(got) << key << literal;
      EXPECT_NE(got.error().to_string().find(key), std::string::npos) << got.error().to_string();
      EXPECT_NE(got.error().to_string().find(literal), std::string::npos) << got.error().to_string();
    }
  EXPECT_FALSE(parse_python_json(R"({"a": nan})"));
  EXPECT_FALSE(parse_json(R"({"a": NaN})"));
}

TEST(Families, AnUnknownOneIsToldOnceWithTheClosest) {
  auto unknown = config_from_hf(R"({"architectures": ["Qwen3VLMoeForConditionalGeneration"], "model_type": "x"})");
  ASSERT_FALSE(unknown);
  const std::string text = unknown.error().to_string();
  EXPECT_EQ(text.find("Qwen3VLMoe"), text.rfind("Qwen3VLMoe")) << text;
  EXPECT_NE(text.find("closest that it knows is Qwen3MoeForCausalLM"), std::string::npos) << text;
  EXPECT_LT(text.size(), 300u) << text;
  auto far = config_from_hf(R"({"model_type": "mamba"})");
  EXPECT_EQ(far.error().to_string().find("closest"), std::string::npos) << far.error().to_string();
}

TEST(Families, TheHandbookListsAll) {
  const std::string handbook = *read_file(fs::path(HEARTH_SOURCE_DIR) / "docs/handbook/model_packs.md");
  ASSERT_NE(handbook.find("## Which models run"), std::string::npos);
  for (const Architecture* a : all_architectures())
    EXPECT_NE(handbook.find(fmt::format("`{}`", a->hf_architecture())), std::string::npos) << a->hf_architecture();
}

}  // namespace
}  // namespace hearth::text_side_test
