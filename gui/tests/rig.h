// Rig: a box for the user flows, made up ("fake") or real ("hearthd").
#pragma once

#include <QString>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gui/client/client.h"

namespace hearth::gui {

class Rig {
 public:
  virtual ~Rig() = default;
  // The client to give to Desktop; null for the one that it makes from the state directory.
  virtual std::unique_ptr<Client> client() = 0;
  virtual std::filesystem::path stateDir() const = 0;
  virtual QString chatModel() const = 0;       // installed, with a chat template
  virtual bool stickIsPluggedIn() const = 0;   // found without being told where
  virtual QString stickPath() const = 0;       // a folder with a trusted pack that is not installed
  virtual QString stickPack() const = 0;
  virtual QString damagedStickPath() const = 0;
  virtual QString damagedPack() const = 0;
  virtual void explain() const {}              // after a failure: what the box has to say, to stderr
  virtual std::string trainingData() const;    // JSONL
};

// "fake", and "hearthd" where the build made it.
std::vector<const char*> rigNames();
// Null, with the reason on stderr, when it cannot be set up.
std::unique_ptr<Rig> makeRig(const std::string& name);

}  // namespace hearth::gui
