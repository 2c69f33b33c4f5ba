// Runs the inputs of the folders and files that are named: fuzz_X FOLDER|FILE...
#include "fuzz.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

bool run(const std::filesystem::path &file) {
  std::ifstream input(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
  if (!input && !input.eof()) {
    return false;
  }
  std::printf("%s\n", file.c_str());
  std::fflush(stdout); // before an input that ends the process
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
  return true;
}

} // namespace

int main(int count, char **arguments) {
  int runs = 0;
  for (int i = 1; i < count; ++i) {
    if (!std::filesystem::is_directory(arguments[i])) {
      runs += run(arguments[i]) ? 1 : 0;
      continue;
    }
    for (const auto &entry : std::filesystem::directory_iterator(arguments[i])) {
      runs += run(entry.path()) ? 1 : 0;
    }
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("%d inputs\n", runs);
  return runs > 0 ? 0 : 1;
}
