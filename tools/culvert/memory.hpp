// Memory that many tunnels had, after they have ended.
//
// libc keeps freed memory for later, and can give only the end of a heap back by itself: a process
// that had 10,000 tunnels keeps 200 to 400 MB. This gives it back to the system.
//
// For one thread. While it works, at most once in a pause of its caller, a shard may wait for libc:
// about 0.1 ms for each MB that is given back.
#pragma once

#include <cstddef>

namespace culvert::command {

class FreeMemory {
public:
  /// Does nothing unless the free memory is worth it.
  void give_back();

private:
  std::size_t left_ = 0; // bytes that were free and still not given back, the last time
};

} // namespace culvert::command
