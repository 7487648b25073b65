// The house keeps its rules, and each rule catches what it is for.
#include "tests/house/rules.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace hearth::house::rules_test {
namespace {

TEST(HouseRules, ThisTreeKeepsThem) {
  auto findings = check_tree(HEARTH_SOURCE_DIR);
  ASSERT_TRUE(findings) << findings.error().to_string();
  for (const Finding& finding : *findings) ADD_FAILURE() << finding.to_string();
}

TEST(HouseRules, RoomsSeeOnlyRoomsBelow) {
  EXPECT_TRUE(may_include("runtime", "base/result.h"));
  EXPECT_TRUE(may_include("trainer", "inference/generate.h"));
  EXPECT_TRUE(may_include("runtime", "runtime/graph/graph.h"));
  EXPECT_FALSE(may_include("runtime", "inference/generate.h"));
  EXPECT_FALSE(may_include("base", "hwdetect/profile.h"));
  EXPECT_FALSE(may_include("appliance", "gui/app.h"));
  EXPECT_FALSE(may_include("runtime", "tests/house/rules.h"));
  EXPECT_TRUE(is_downward_in_runtime("runtime/exec/executor.cpp", "runtime/plan/plan.h"));
  EXPECT_TRUE(is_downward_in_runtime("runtime/ops/add/cpu.cpp", "runtime/kernels/simd.h"));
  EXPECT_TRUE(is_downward_in_runtime("runtime/plan/plan_test.cpp", "runtime/exec/devices.h"));
  EXPECT_FALSE(is_downward_in_runtime("runtime/backend/backend.h", "runtime/ops/op.h"));
  EXPECT_FALSE(is_downward_in_runtime("runtime/graph/graph.h", "runtime/architectures/architecture.h"));
  EXPECT_TRUE(may_include("tests", "appliance/api/types.h"));
}

TEST(HouseRules, TheDesktopSeesTheApiAlone) {
  EXPECT_TRUE(may_include("gui", "appliance/api/types.h"));
  EXPECT_TRUE(may_include("gui", "base/json.h"));
  EXPECT_FALSE(may_include("gui", "appliance/hearthd/server.h"));
  EXPECT_FALSE(may_include("gui", "inference/generate.h"));
}

TEST(HouseRules, TheCommandLineKeepsOutOfTheService) {
  const char* include = "#include \"appliance/hearthd/service.h\"\n";
  EXPECT_EQ(check_imports("appliance/cli/verbs/packs.cpp", include).size(), 1u);
  EXPECT_TRUE(check_imports("appliance/cli/verbs/serve.cpp", include).empty());
  EXPECT_TRUE(check_imports("appliance/hearthd/run.cpp", include).empty());
  EXPECT_TRUE(check_imports("appliance/cli/verbs/plan.cpp", "#include \"appliance/box/fit.h\"\n").empty());
}

TEST(HouseRules, ImportFindingsNameTheLine) {
  auto findings =
      check_imports("runtime/exec/run.cpp", "// runs\n#include <vector>\n  #  include \"trainer/loss.h\"\n");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].line, 3);
  EXPECT_NE(findings[0].to_string().find("runtime/exec/run.cpp:3: runtime may not include \"trainer/loss.h\""),
            std::string::npos);
  EXPECT_EQ(check_imports("base/a.cpp", "#include \"../gui/x.h\"\n").size(), 1u);
  EXPECT_TRUE(check_imports("docs/text.md", "#include \"gui/x.h\"\n").empty());
}

TEST(HouseRules, HeadersSayWhatTheyAre) {
  EXPECT_TRUE(check_header("base/a.h", "// A thing.\n#pragma once\n").empty());
  EXPECT_EQ(check_header("base/a.h", "#pragma once\n").size(), 1u);
  EXPECT_EQ(check_header("base/a.h", "// A thing.\n").size(), 1u);
}

TEST(HouseRules, HeadsOfKernelsAreWhole) {
  const std::string whole = "// op, CPU\n// math:     a\n//           b\n// needs:    nothing\n#include <x>\n// c\n";
  EXPECT_TRUE(check_kernel_head("runtime/ops/op/cpu.cpp", whole).empty());
  EXPECT_TRUE(check_kernel_head("base/a.cpp", "// A file.\n// It has no fields.\n").empty());
  const std::string torn = "// op, CPU\n// math:     a, one by\n// one needs:    nothing\n";
  ASSERT_EQ(check_kernel_head("runtime/ops/op/cpu.cpp", torn).size(), 1u);
  EXPECT_EQ(check_kernel_head("runtime/ops/op/cpu.cpp", torn)[0].line, 3);
  EXPECT_EQ(check_kernel_head("a.cu", "// op\n// math:     x\n// shapes:   a [N], needs:    nothing\n").size(), 1u);
}

TEST(HouseRules, TextIsClean) {
  EXPECT_EQ(check_text("a.md",
                       "<<<<<<"
                       "< mine\nx\n>>>>>>"
                       "> theirs\n")
                .size(),
            2u);
  EXPECT_EQ(check_text("a.md",
                       "see /wo"
                       "rk/main\n")
                .size(),
            1u);
  EXPECT_EQ(check_text("a.md",
                       "fixes iss"
                       "ue #12\n")
                .size(),
            1u);
  EXPECT_TRUE(check_text("a.md", "The issues of a network/work/flow.\n").empty());
  EXPECT_EQ(check_text("base/long.cpp", std::string(kMaxSourceLines + 1, '\n')).size(), 1u);
}

TEST(HouseRules, TreesAreWalkedAndBuildOutputIsNot) {
  auto folder = TempFolder::create("house");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(make_folders(folder->path() / "build/x"));
  ASSERT_TRUE(make_folders(folder->path() / "base"));
  ASSERT_TRUE(write_file(folder->path() / "build/x/bad.h", "no"));
  ASSERT_TRUE(write_file(folder->path() / "base/bad.h", "#pragma once\n"));
  auto findings = check_tree(folder->path());
  ASSERT_TRUE(findings);
  ASSERT_EQ(findings->size(), 1u);
  EXPECT_EQ((*findings)[0].path, "base/bad.h");
  EXPECT_FALSE(check_tree(folder->path() / "absent"));
}

}  // namespace
}  // namespace hearth::house::rules_test
