// Reads a file of configuration: whole, bounded, and without waiting.
#pragma once

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace culvert {

struct RegularFile {
  std::string content;    // secret if the file is: the holder wipes it
  std::string why_not;    // why it cannot be read; empty if it was
  mode_t mode = 0;        // of the file that was read
  bool too_large = false; // it has more than the bytes asked for; the content is empty then
};

/// Reads a regular file of at most `most` bytes. A pipe, a device and a folder are refused, because
/// reading them could wait for ever. From any thread; it blocks for as long as the disk does.
RegularFile read_regular_file(const std::string &path, std::size_t most);

} // namespace culvert
