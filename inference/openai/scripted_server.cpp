// Serves the OpenAI surface on a free port of the loopback with an answer that is told. For tools_client_test.py:
//   scripted_server MODEL_FOLDER TEMPLATE.jinja ANSWER.txt     prints the port, serves until stdin ends
#include <iostream>

#include "base/files.h"
#include "base/http/server.h"
#include "inference/openai/scripted_generator.h"
#include "inference/openai/surface.h"

namespace hearth {

static Result<void> serve(char** arguments) {
  LoadedModel model = TRY(load_model(arguments[1]));
  model.chat_template = TRY(ChatTemplate::parse(TRY(read_file(arguments[2]))));
  ScriptedGenerator generator(std::move(model));
  generator.text = TRY(read_file(arguments[3]));
  http::Router router;
  openai::add_routes(router, generator, {"tiny", ""});
  auto server = TRY(http::Server::create(std::move(router)));
  std::cout << TRY(server->listen_tcp("127.0.0.1:0")) << std::endl;
  for (char c = 0; std::cin.get(c);) {
  }
  server->stop(std::chrono::seconds(1));
  return {};
}

}  // namespace hearth

int main(int n, char** arguments) {
  if (n != 4) return 2;
  auto served = hearth::serve(arguments);
  if (!served) std::cerr << served.error().to_string() << "\n";
  return served ? 0 : 1;
}
