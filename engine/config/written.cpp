#include "config/written.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace culvert {
namespace {

/// How many letters must be added, removed, replaced or swapped with their neighbour.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::vector<std::size_t>> steps(one.size() + 1,
                                              std::vector<std::size_t>(other.size() + 1));
  for (std::size_t i = 0; i <= one.size(); ++i) {
    for (std::size_t k = 0; k <= other.size(); ++k) {
      if (i == 0 || k == 0) {
        steps[i][k] = i + k;
        continue;
      }
      const std::size_t replaced = one[i - 1] == other[k - 1] ? 0 : 1;
      steps[i][k] =
          std::min({steps[i - 1][k] + 1, steps[i][k - 1] + 1, steps[i - 1][k - 1] + replaced});
      if (i > 1 && k > 1 && one[i - 1] == other[k - 2] && one[i - 2] == other[k - 1]) {
        steps[i][k] = std::min(steps[i][k], steps[i - 2][k - 2] + 1);
      }
    }
  }
  return steps[one.size()][other.size()];
}

} // namespace

std::string_view Written::words() const {
  static constexpr std::array<std::string_view, 5> kWords{"a text", "a number", "a truth value",
                                                          "a list", "a table"};
  const auto *other = std::get_if<Other>(&value);
  return other != nullptr ? other->words : kWords[value.index()];
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMostBytes = 300;
  std::string result(cut_utf8(text, kMostBytes));
  std::replace_if(result.begin(), result.end(), is_control, '?');
  return "'" + result + (result.size() < text.size() ? "...'" : "'");
}

std::string nearest_word(std::string_view word, const std::vector<std::string> &words) {
  constexpr std::size_t kLongestWord = 64;
  std::string nearest;
  std::size_t least = std::min<std::size_t>(word.size() / 3, 2) + 1;
  for (const std::string &each : words) {
    const std::size_t far =
        word.size() > kLongestWord ? least : distance(lower_case(word), lower_case(each));
    if (far < least) {
      least = far;
      nearest = each;
    }
  }
  return nearest;
}

std::string one_of(const std::vector<std::string> &words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += i == 0 ? "" : (i + 1 == words.size() ? std::string(last) : ", ");
    text += words[i];
  }
  return text;
}

} // namespace culvert
