// Other people's tool on our packs: skopeo reads and copies an exported layout, and the copy is still trusted.
#include <cstdlib>

#include "model_store/oci.h"
#include "model_store/store_test_support.h"

namespace hearth::store::skopeo_test {
namespace {
using namespace test;

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

TEST(Skopeo, InspectsAndCopiesAPack) {
  if (!run("skopeo --version")) GTEST_SKIP() << "skopeo is not installed";
  Bench bench;
  std::string digest = bench.make_pack("tiny"), tag = "sha256-" + digest.substr(7) + ".sig";
  std::string from = "oci:" + bench.stick.string(), copy = (bench.folder.path() / "copy").string(), to = "oci:" + copy;
  auto manifest = bench.folder.path() / "manifest.json";
  ASSERT_EQ(std::system(("skopeo inspect --raw " + from + ":tiny > " + manifest.string()).c_str()), 0);
  EXPECT_TRUE(must(oci::parse_manifest(must(read_file(manifest)))).is_model());
  ASSERT_TRUE(run("skopeo --insecure-policy copy " + from + ":tiny " + to + ":tiny"));
  ASSERT_TRUE(run("skopeo --insecure-policy copy " + from + ":" + tag + " " + to + ":" + tag));
  Store store = bench.open();
  PackSummary checked = must(store.check_pack(copy, digest));
  EXPECT_EQ(checked.trust, Trust::trusted) << checked.problem;
  EXPECT_EQ(must(store.install(copy, "")).digest, digest);
}

}  // namespace
}  // namespace hearth::store::skopeo_test
