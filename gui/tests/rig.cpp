// The fake rig; the real one is in hearthd_rig.cpp and only there where the build made hearthd.
#include "gui/tests/rig.h"

#include "gui/client/fake_client.h"
#include "gui/tests/hearthd_rig.h"

namespace hearth::gui {

namespace {
class FakeRig : public Rig {
 public:
  std::unique_ptr<Client> client() override { return std::make_unique<FakeClient>(1); }
  std::filesystem::path stateDir() const override { return {}; }
  QString chatModel() const override { return QStringLiteral("hearth-small"); }
  bool stickIsPluggedIn() const override { return true; }
  QString stickPath() const override { return QStringLiteral("/media/HEARTH-2026-11"); }
  QString stickPack() const override { return QStringLiteral("mistral-7b"); }
  QString damagedStickPath() const override { return stickPath(); }
  QString damagedPack() const override { return QStringLiteral("coder-3b"); }
};
}  // namespace

std::string Rig::trainingData() const {
  constexpr std::pair<const char*, const char*> kPairs[] = {
      {"When is the pool open on Sundays?", "On Sundays the pool is open from 9 to 17."},
      {"When is the pool open on weekdays?", "On weekdays the pool is open from 7 to 21."},
      {"How do I book the meeting room?", "Write to the front desk with the date and time."},
      {"Where do I leave my bicycle?", "In the yard behind the house, next to the blue door."},
      {"Who do I ask about the heating?", "Ask the caretaker; the number is on the notice board."},
  };
  std::string lines;
  for (int round = 0; round < 8; ++round)
    for (const auto& [question, answer] : kPairs)
      lines += fmt::format(
          R"({{"messages":[{{"role":"user","content":"{}"}},{{"role":"assistant","content":"{}"}}]}})" "\n", question, answer);
  return lines;
}

std::vector<const char*> rigNames() {
  if (hasHearthd()) return {"fake", "hearthd"};
  return {"fake"};
}

std::unique_ptr<Rig> makeRig(const std::string& name) {
  if (name == "hearthd") return makeHearthdRig();
  return std::make_unique<FakeRig>();
}

}  // namespace hearth::gui
