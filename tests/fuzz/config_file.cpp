// A configuration file, read as a command reads it: with mistakes at places that exist.
#include "fuzz.hpp"

#include "culvert/config_file.hpp"

#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace culvert;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const int file = memfd_create("fuzz.toml", MFD_CLOEXEC);
  fuzz::must(file >= 0 && write(file, data, size) == static_cast<ssize_t>(size));
  fuzz::must(fchmod(file, S_IRUSR) == 0); // one that others may write is not read
  SecretReader secrets;
  const LoadedConfig loaded = load_config_file("/proc/self/fd/" + std::to_string(file), secrets);
  for (const ConfigMistake &mistake : loaded.mistakes) {
    fuzz::must(!mistake.status.ok() && !mistake.status.message.empty());
    fuzz::must(mistake.place.line <= size + 1);
    fuzz::must(mistake.place.line > 0 || mistake.status.source == Source::kConfig); // it was read
  }
  close(file);
  return 0;
}
