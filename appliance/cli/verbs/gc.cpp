// hearth gc: deletes files of the store that no model uses; by the service when it runs.
#include "appliance/cli/verbs.h"

namespace hearth::cli {
namespace {

api::DiskUse to_api(const store::DiskUse& use) {
  return {.models_bytes = use.blobs_bytes - use.reclaimable_bytes,
          .reclaimable_bytes = use.reclaimable_bytes,
          .free_bytes = use.free_bytes,
          .n_files = use.n_blobs};
}

Result<uint64_t> free_now(const Cli& cli) {
  if (auto service = cli.service())
    return TRY(service->post_as<api::Freed>("/hearth/v1/store/free", Json::object())).freed_bytes;
  store::Store store = TRY(cli.open_store(store::Mode::read_write));
  return store.collect_garbage();
}

Result<api::DiskUse> disk_use(const Cli& cli) {
  if (auto service = cli.service()) return service->get_as<api::DiskUse>("/hearth/v1/store");
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  return to_api(TRY(store.disk_use()));
}

}  // namespace

void declare_gc(Command& command) {
  auto only_look = std::make_shared<bool>(false);
  command.flag("--dry-run", *only_look, "Only say what would be deleted");
  command.on_run([=](const Cli& cli) -> Result<void> {
    const uint64_t freed = *only_look ? 0 : TRY(free_now(cli));
    const api::DiskUse use = TRY(disk_use(cli));
    Json document = to_json_value(use);
    document["freed_bytes"] = freed;
    cli.print(document, [&] {
      return fmt::format(
          "{}; the models take {} in {} files, and {} of the disk are free",
          *only_look ? human_bytes(use.reclaimable_bytes) + " would be freed" : "freed " + human_bytes(freed),
          human_bytes(use.models_bytes), use.n_files, human_bytes(use.free_bytes));
    });
    return {};
  });
}

}  // namespace hearth::cli
