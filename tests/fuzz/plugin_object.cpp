// A file that is examined as a plugin before it is loaded: what passes has the symbol, and what
// does not is refused in one line.
#include "fuzz.hpp"

#include "plugin/object_file.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

using culvert::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  constexpr std::string_view kSymbol("culvert_plugin_v1\0", 18);
  const int file = memfd_create("fuzz.so", MFD_CLOEXEC);
  must(file >= 0 && write(file, data, size) == static_cast<ssize_t>(size));
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const std::string wrong = culvert::wrong_object(path, "culvert_plugin_v1");
  close(file);
  must(
      std::none_of(wrong.begin(), wrong.end(), [](unsigned char letter) { return letter < 0x20; }));
  if (wrong.empty()) {
    must(size >= sizeof(Elf64_Ehdr) && std::memcmp(data, ELFMAG, SELFMAG) == 0);
    Elf64_Ehdr header;
    std::memcpy(&header, data, sizeof header);
    const std::string_view input = culvert::fuzz::text(data, size);
    must(header.e_shoff == 0 || input.find(kSymbol) != std::string_view::npos);
  }
  return 0;
}
