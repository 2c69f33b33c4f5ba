// What the fuzz targets share.
//
// Each target is a file that defines LLVMFuzzerTestOneInput. With libFuzzer it is a fuzzer; with
// corpus_main.cpp it runs the files of its corpus once, as a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace culvert::fuzz {

inline std::string_view text(const std::uint8_t *data, std::size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}
/// The first byte of the input, which chooses how the rest is read; 0 of an empty one.
inline std::uint8_t take_choice(std::string_view &input) {
  const auto byte = input.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(input.front());
  input.remove_prefix(input.empty() ? 0 : 1);
  return byte;
}
/// What must hold for every input.
inline void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// The input as lines: the first one, then the next.
inline std::string_view take_line(std::string_view &rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

} // namespace culvert::fuzz
