// A file that is examined as a plugin before it is loaded.
#include "fuzz.hpp"

#include "plugin/object_file.hpp"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const int file = memfd_create("fuzz.so", MFD_CLOEXEC);
  culvert::fuzz::must(file >= 0 && write(file, data, size) == static_cast<ssize_t>(size));
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  static_cast<void>(culvert::wrong_object(path, "culvert_plugin_v1"));
  close(file);
  return 0;
}
