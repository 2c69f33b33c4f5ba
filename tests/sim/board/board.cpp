#include "board.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

namespace culvert::simtest {

namespace {

/// The steps that a scene is there to show.
bool shows(Scene scene, Step step) {
  switch (scene) {
  case Scene::kUpload:
    return step != Step::kDown && step != Step::kProxy;
  case Scene::kDownload:
    return step == Step::kDown || step == Step::kHalf || step == Step::kEnd;
  case Scene::kProxied:
    return step == Step::kProxy;
  }
  return false;
}

bool is_part(SimStrike::Kind kind) {
  return kind == SimStrike::Kind::kOne || kind == SimStrike::Kind::kHalf ||
         kind == SimStrike::Kind::kAllButOne;
}

bool can_strike(const Fault &fault, const Asked &asked) {
  if (fault.operation == Operation::kAny) {
    // A raw TCP stream that ends with a FIN has ended: nobody can tell who sent it.
    return asked.connected && (!asked.raw || fault.damage != Fault::Damage::kFinish);
  }
  return fault.operation == asked.operation && (!is_part(fault.strike.kind) || asked.bytes > 1) &&
         (fault.strike.kind != SimStrike::Kind::kVain || !asked.ready);
}

/// "connect-ECONNREFUSED"
std::string word_of(const Fault &fault) {
  std::string word = name_of(fault);
  std::replace(word.begin(), word.end(), ' ', '-');
  return word;
}

char letter(int reason) {
  return static_cast<char>('a' + reason);
}

std::string cell(const std::vector<Point> &points, const Fault &fault, Part part, Step step,
                 std::vector<std::string> &wrong) {
  const auto count = std::count_if(points.begin(), points.end(), [&](const Point &point) {
    return point.fault == &fault && point.part == part && point.step == step;
  });
  const int reason = reason_against(fault, part, step);
  if ((count == 0) != (reason >= 0)) {
    wrong.push_back(name_of(fault) + " at the " + std::string(word(part)) + " in " +
                    std::string(word(step)) + ": " + std::to_string(count) +
                    (reason < 0 ? " runs, and no reason" : " runs, and a reason against them"));
  }
  return ' ' + (reason < 0 ? std::to_string(count) : std::string(1, letter(reason))) + " |";
}

std::string cells(const std::vector<Point> &points, const Fault &fault, Part part,
                  std::vector<std::string> &wrong) {
  std::string text;
  for (std::size_t step = 0; step < kSteps; ++step) {
    text += cell(points, fault, part, static_cast<Step>(step), wrong);
  }
  return text;
}

} // namespace

std::string command_of(const Point &point) {
  return word_of(*point.fault) + ' ' + std::string(word(point.scene)) + ' ' +
         std::to_string(point.at);
}

std::optional<Scene> parse_scene(const std::string &text) {
  for (std::size_t i = 0; i < kScenes; ++i) {
    if (word(static_cast<Scene>(i)) == text) {
      return static_cast<Scene>(i);
    }
  }
  return std::nullopt;
}

std::optional<Point> parse_point(const std::string &fault, const std::string &scene,
                                 const std::string &at) {
  Point point;
  for (const Fault &one : faults()) {
    if (word_of(one) == fault) {
      point.fault = &one;
    }
  }
  const std::optional<Scene> known = parse_scene(scene);
  const char *end = at.data() + at.size();
  const auto [stopped, error] = std::from_chars(at.data(), end, point.at);
  if (point.fault == nullptr || !known || error != std::errc() || stopped != end) {
    return std::nullopt;
  }
  point.scene = *known;
  return point;
}

std::vector<Point> points(const Calm &calm, bool every) {
  std::vector<Point> found;
  for (std::size_t scene = 0; scene < kScenes; ++scene) {
    std::set<std::tuple<const Fault *, Part, Step, int>> seen;
    for (std::size_t at = 0; at < calm[scene].size(); ++at) {
      const Asked &asked = calm[scene][at];
      for (const Fault &fault : faults()) {
        if ((every || shows(static_cast<Scene>(scene), asked.step)) && can_strike(fault, asked) &&
            (seen.emplace(&fault, asked.part, asked.step, asked.socket).second || every)) {
          found.push_back({&fault, static_cast<Scene>(scene), at, asked.part, asked.step});
        }
      }
    }
  }
  return found;
}

std::string table(const std::vector<Point> &points, std::vector<std::string> &wrong) {
  std::string text;
  for (std::size_t i = 0; i < kParts; ++i) {
    const Part part = static_cast<Part>(i);
    text += "## At the " + std::string(word(part)) + "\n\n| fault |";
    std::string line = "|---|";
    for (std::size_t step = 0; step < kSteps; ++step) {
      text += ' ' + std::string(word(static_cast<Step>(step))) + " |";
      line += "---|";
    }
    text += '\n' + line;
    const Fault *before = nullptr;
    std::string row; // of the fault before
    for (const Fault &fault : faults()) {
      const std::string made = cells(points, fault, part, wrong);
      if (before != nullptr && before->operation == fault.operation && made == row) {
        text += std::string(", ") + fault.name;
      } else {
        text += (before != nullptr ? " |" + row : "") + "\n| " + name_of(fault);
      }
      before = &fault;
      row = made;
    }
    text += " |" + row + "\n\n";
  }
  for (std::size_t i = 0; i < reasons().size(); ++i) {
    text += std::string("- ") + letter(static_cast<int>(i)) + ": " + reasons()[i] + '\n';
  }
  return text;
}

} // namespace culvert::simtest
