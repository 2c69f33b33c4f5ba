// Where finished log lines leave the process: stderr, without ever waiting for its reader.
//
// Thread-safe: one lock for all shards. A line is written only when stderr takes it at once; else
// it is dropped and counted, and the next line that goes through is preceded by one about the loss.
// A reader that has stopped can so hold up neither the tunnels nor the end of the process.
#pragma once

#include "core/limits.hpp"

#include <cstdint>
#include <mutex>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <string_view>

namespace culvert {

class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// The text of the line about `lost` lines.
  using Tell = std::string (*)(std::uint64_t lost, const std::string &why);
  explicit StderrSink(Tell tell) : tell_(tell) {}

protected:
  void sink_it_(const spdlog::details::log_msg &message) override;
  void flush_() override {}

private:
  std::string line_of(const spdlog::details::log_msg &message);
  /// True when all of it was written.
  bool put(std::string_view line);
  bool writable();

  const Tell tell_;
  std::uint64_t lost_ = 0;
  std::string why_;
  bool torn_ = false; // the last line written has no end
};

} // namespace culvert
