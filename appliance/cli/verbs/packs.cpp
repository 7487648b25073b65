// hearth packs list|check|install|verify|export|keys|trust: packs on sticks and in folders, and whose are believed.
#include <algorithm>

#include "appliance/box/media.h"
#include "appliance/box/stick.h"
#include "appliance/cli/records.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {
namespace {

struct PackArguments {
  std::string from, digest, name, to, key;
  bool deploy = false, any_version = false;
};
constexpr size_t kShortDigest = 19;  // "sha256:" and 12 digits

Result<std::string> folder_of(const std::string& from) {
  if (from.starts_with("http://") || from.starts_with("https://"))
    return error(
        Code::unimplemented,
        "installing packs from a registry belongs to later work; copy the pack to a stick or a folder and give that");
  return std::filesystem::absolute(from).lexically_normal().string();
}

// By the service when it runs; else by looking from here.
Result<std::vector<api::PackSource>> find_media(const Cli& cli) {
  if (auto service = cli.service()) return service->list<api::PackSource>("/hearth/v1/packs/sources", "sources");
  return packs_on_media(TRY(cli.open_store(store::Mode::read_only)), media_roots());
}

// The packs of one folder, as this program sees them.
Result<std::vector<Json>> scan_here(const Cli& cli, const std::string& folder) {
  std::vector<Json> out;
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  for (const store::PackSummary& pack : TRY(store.scan(folder))) out.push_back(pack_json(pack));
  return out;
}

// What is trusted and installed is for the service to say, when it runs and can read the folder: it may have been given
// more keys than lie in the state directory.
Result<std::vector<Json>> scan(const Cli& cli, const std::string& folder) {
  auto here = scan_here(cli, folder);
  auto service = cli.service();
  if (!service) return here;
  auto source = service->post_as<api::PackSource>("/hearth/v1/packs/scan", api::ScanRequest{folder});
  if (!source && !here) return source.error();
  if (!source) return here;
  std::vector<Json> out = std::move(here).value_or(std::vector<Json>{});
  for (const api::PackInfo& pack : source->packs) {
    bool is_here = false;  // perhaps in several folders below
    for (Json& p : out) {
      if (p.value("digest", "") != pack.digest || p.value("name", "") != pack.name) continue;
      p.update(to_json_value(pack));
      is_here = true;
    }
    if (is_here) continue;
    out.push_back(to_json_value(pack));
    out.back()["path"] = folder;
  }
  return out;
}

// Packs in one folder, or on all media that are plugged in.
Result<std::vector<Json>> find_packs(const Cli& cli, const std::string& from) {
  if (!from.empty()) return scan(cli, TRY(folder_of(from)));
  std::vector<Json> out;
  for (const api::PackSource& source : TRY(find_media(cli)))
    for (const api::PackInfo& pack : source.packs) {
      out.push_back(to_json_value(pack));
      out.back()["path"] = source.path;
    }
  return out;
}

std::string short_digest(const Json& pack) {
  return pack.value("digest", "").substr(0, kShortDigest);
}

// "NAME (PATH): what is wrong", for every pack that is not as it should be.
std::vector<std::string> problems_of(const std::vector<Json>& packs) {
  std::vector<std::string> out;
  for (const Json& p : packs)
    if (p.value("status", "") != "trusted")
      out.push_back(fmt::format("{} ({}): {}", p.value("name", ""), p.value("path", ""), p.value("problem", "")));
  return out;
}

// A digest may be cut short, as `packs list` prints it.
Result<std::string> full_digest(const Cli& cli, const std::string& folder, std::string given) {
  if (given.empty()) return given;
  if (!given.starts_with("sha256:")) given = "sha256:" + given;
  std::vector<std::string> found;
  for (const Json& p : TRY(scan(cli, folder)))
    if (std::string digest = p.value("digest", ""); digest.starts_with(given)) found.push_back(digest);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());  // the same pack may lie there twice
  if (found.size() == 1) return found[0];
  if (found.empty())
    return error(Code::not_found, "{} holds no pack with the digest {}; `hearth packs list --from {}` shows them",
                 folder, given, folder);
  return error(Code::invalid_argument, "{} packs in {} have a digest that begins with {}; give more digits",
               found.size(), folder, given);
}

// The name for people, where it says more than the other.
std::string called(const Json& pack) {
  std::string display_name = pack.value("display_name", "");
  return display_name == pack.value("name", "") ? "" : display_name;
}

Result<void> list(const Cli& cli, const PackArguments& a) {
  std::vector<Json> packs = TRY(find_packs(cli, a.from));
  std::vector<std::vector<std::string>> rows{
      {"NAME", "VERSION", "SIZE", "STATUS", "INSTALLED", "DIGEST", "WHERE", "CALLED"}};
  for (const Json& p : packs)
    rows.push_back({p.value("name", ""), p.value("version", ""), human_bytes(p.value("size_bytes", uint64_t{0})),
                    p.value("status", ""), p.value("installed", false) ? "yes" : "no", short_digest(p),
                    p.value("path", ""), called(p)});
  cli.print({{"packs", packs}}, [&] {
    std::string text = packs.empty() ? "no packs found; plug a stick in, or give --from DIR" : table(rows);
    for (const std::string& problem : problems_of(packs)) text += problem + "\n";
    return text;
  });
  return {};
}

// Reads every byte of a pack that looks whole, and writes the verdict into its record.
Result<void> read_all(const store::Store& store, const std::string& folder, Json& pack) {
  ProgressBar bar;
  const std::string digest = pack.value("digest", "");
  store::PackSummary checked = TRY(store.check_pack(folder, digest, bar.control("checking " + pack.value("name", ""))));
  if (checked.trust != store::Trust::damaged) return {};  // whether it is trusted was said before
  pack["status"] = store::trust_name(checked.trust);
  pack["problem"] = checked.problem;
  return {};
}

Result<void> check(const Cli& cli, const PackArguments& a) {
  std::vector<Json> packs = TRY(find_packs(cli, a.from));
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  for (Json& p : packs) {
    if (p.value("status", "") != "trusted") continue;
    const std::string folder = a.from.empty() ? p.value("path", "") : TRY(folder_of(a.from));
    TRY(read_all(store, folder, p));
  }
  std::vector<std::string> problems = problems_of(packs);
  if (packs.empty()) return error(Code::not_found, "no packs found{}", a.from.empty() ? "" : " in " + a.from);
  if (!problems.empty()) return error(Code::data_loss, "{}", fmt::join(problems, "; "));
  cli.print({{"packs", packs}, {"ok", true}},
            [&] { return fmt::format("{} packs, every byte read, all trusted", packs.size()); });
  return {};
}

Result<void> install(const Cli& cli, const PackArguments& a) {
  std::string folder = TRY(folder_of(a.from));
  std::string digest = TRY(full_digest(cli, folder, a.digest));
  std::string name;
  if (auto service = cli.service()) {
    const api::InstallRequest request{folder, digest, a.deploy, a.name, a.any_version};
    api::Job job = TRY(service->post_as<api::Job>("/hearth/v1/packs/install", request));
    name = TRY(follow_job(*service, job.id)).result_model;
  } else {
    if (a.deploy) return error(Code::unavailable, "deploying needs the service: start it, or leave --deploy out");
    ProgressBar bar;
    store::Store store = TRY(cli.open_store(store::Mode::read_write));
    const store::InstallOptions options{.name = a.name, .replace = true, .any_version = a.any_version};
    name = TRY(store.install(folder, digest, options, bar.control("installing"))).name;
  }
  store::ModelRecord model = TRY(TRY(cli.open_store(store::Mode::read_only)).find(name));
  cli.print(record_json(model), [&] {
    return fmt::format("installed {} {} ({})", model.name, model.version, human_bytes(model.size_bytes));
  });
  return {};
}

Result<void> export_pack(const Cli& cli, const PackArguments& a) {
  std::string folder = std::filesystem::absolute(a.to).lexically_normal().string();
  const auto stick = TRY(StickForWriting::ask(folder, {.wishes = cli.state.wishes()}));
  ProgressBar bar;
  store::Store store = TRY(cli.open_store(store::Mode::read_only));  // exporting changes nothing in the store
  std::string digest =
      TRY(store.export_pack(TRY(store.resolve(a.name)), folder, {.signing_key = a.key}, bar.control("writing")));
  if (a.key.empty())
    fmt::print(stderr,
               "hearth: this pack is not signed, and boxes refuse unsigned packs: sign it with --key KEY.pem (a key "
               "is made by `openssl genpkey -algorithm ed25519 -out KEY.pem`)\n");
  cli.print({{"name", a.name}, {"digest", digest}, {"path", folder}, {"signed", !a.key.empty()}},
            [&] { return fmt::format("wrote {} to {} ({})", a.name, folder, digest); });
  return {};
}

Result<void> keys(const Cli& cli) {
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"KEY", "FILE"}};
  for (const store::TrustedKey& key : TRY(store.trusted_keys())) {
    list.push_back({{"id", key.id}, {"path", key.file.string()}});
    rows.push_back({key.id, key.file.string()});
  }
  cli.print({{"keys", list}}, [&] {
    return list.empty() ? "no key is trusted, so no pack can be installed; `hearth packs trust KEY.pub` trusts one"
                        : table(rows);
  });
  return {};
}

Result<void> trust(const Cli& cli, const std::string& file) {
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  auto trusted = store.trust_key(file);
  if (!trusted && trusted.error().code == Code::permission_denied)
    trusted.error().message += "; the box's keys belong to its administrator: try again with sudo";
  const store::TrustedKey key = TRY(std::move(trusted));
  cli.print({{"id", key.id}, {"path", key.file.string()}}, [&] {
    return fmt::format(
        "packs signed with {} are accepted now; compare it with what their maker says it is.\n"
        "To stop trusting it, delete {}",
        key.id, key.file.string());
  });
  return {};
}

void declare_one(Command& packs, const char* name, const char* help, bool needs_from,
                 Result<void> (*run)(const Cli&, const PackArguments&)) {
  auto a = std::make_shared<PackArguments>();
  Command command = packs.subcommand(name, help);
  command.option("--from", a->from, "Stick, folder or registry that holds the packs");
  if (needs_from) {
    command.positional("DIR", a->from, "The same, without --from", false);
    command.option("--digest", a->digest, "Which pack, when there are several; the first digits are enough");
  }
  if (run == install) {
    command.flag("--deploy", a->deploy, "Deploy it when installed");
    command.option("--name", a->name, "Name in the store; default: the one it has there already, or the pack's");
    command.flag("--any-version", a->any_version,
                 "Also when it is older than what is installed, or cannot be told to be newer");
  }
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (needs_from && a->from.empty()) return error(Code::invalid_argument, "say where the pack is: --from DIR");
    return run(cli, *a);
  });
}

}  // namespace

void declare_packs(Command& command) {
  declare_one(command, "list", "Packs on the sticks that are plugged in, or in --from DIR", false, list);
  declare_one(command, "check", "Whether all packs there are whole and trusted", false, check);
  declare_one(command, "install", "Install a pack", true, install);
  declare_one(command, "verify", "Whether all packs of a folder are whole and trusted", true, check);
  Command listing_keys = command.subcommand("keys", "The keys whose packs this box accepts");
  listing_keys.on_run(keys);
  auto key_file = std::make_shared<std::string>();
  Command trusting = command.subcommand("trust", "Accept packs that are signed with a key");
  trusting.positional("KEY.pub", *key_file, "Public Ed25519 key (PEM), from a source that you trust");
  trusting.on_run([=](const Cli& cli) { return trust(cli, *key_file); });
  auto a = std::make_shared<PackArguments>();
  Command exporting = command.subcommand("export", "Write a model as a pack (an OCI image layout)");
  exporting.positional("N", a->name, "Model in the store");
  exporting.option("--to", a->to, "Folder to write to");
  exporting.hidden_option("--from", a->to);  // what earlier versions called it
  exporting.positional("DIR", a->to, "The same, without --to", false);
  exporting.option("--key", a->key, "Private Ed25519 key (PEM) to sign with; boxes refuse unsigned packs");
  exporting.on_run([=](const Cli& cli) -> Result<void> {
    if (a->to.empty()) return error(Code::invalid_argument, "say where to write: --to DIR");
    return export_pack(cli, *a);
  });
}

}  // namespace hearth::cli
