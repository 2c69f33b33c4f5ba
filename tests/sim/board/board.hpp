// The fault board: which cell of the table has which runs, and the table.
//
// Used on one thread.
#pragma once

#include "stage.hpp"

#include <optional>
#include <string>
#include <vector>

namespace culvert::simtest {

/// One run: this fault, at this number of this scene.
struct Point {
  const Fault *fault = nullptr;
  Scene scene = Scene::kUpload;
  std::size_t at = 0;
  Part part = Part::kSender;
  Step step = Step::kRegister;
};
std::optional<Scene> parse_scene(const std::string &text);
/// "connect-ECONNREFUSED upload 123": what `--one` takes.
std::string command_of(const Point &point);
std::optional<Point> parse_point(const std::string &fault, const std::string &scene,
                                 const std::string &at);

/// What the roles ask for where nothing goes wrong, scene by scene.
using Calm = std::array<std::vector<Asked>, kScenes>;

/// One point for each cell and each connection that the fault can strike in it: the first call. Or
/// `every` call.
std::vector<Point> points(const Calm &calm, bool every);

/// A table for each role, with the number of points of each cell or the letter of a reason, and
/// the reasons. Faults of one operation whose cells are the same share a row. `wrong` gets a line
/// for each cell that has both or neither.
std::string table(const std::vector<Point> &points, std::vector<std::string> &wrong);

} // namespace culvert::simtest
