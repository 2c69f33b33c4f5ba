// Writes finished log lines to stderr, without blocking.
//
// Thread-safe: one lock for all shards. A line is written only if stderr takes it at once;
// otherwise it is dropped and counted, and a line about the loss is written before the next one. So
// a stopped reader delays neither the tunnels nor the end of the process. If a line was written in
// part, its rest is written first.
//
// It owns a descriptor of its own for the file that stderr is when the sink is made.
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
  explicit StderrSink(Tell tell);
  StderrSink(const StderrSink &) = delete;
  StderrSink &operator=(const StderrSink &) = delete;
  /// Reports the lines lost since the last written one, if stderr takes the report at once.
  ~StderrSink() override;

protected:
  void sink_it_(const spdlog::details::log_msg &message) override;
  void flush_() override {}

private:
  std::string line_of(const spdlog::details::log_msg &message);
  /// True if no loss is left to report before the next line.
  bool tell_lost(std::string_view logger, spdlog::log_clock::time_point now);
  /// True if the line was written, at least in part.
  bool put(std::string line);
  bool put_rest();
  ssize_t write_some(std::string_view bytes);

  const Tell tell_;
  int own_ = -1; // opened again without blocking, if that is possible
  bool socket_ = false;
  std::string rest_; // of a line that was written in part
  std::uint64_t lost_ = 0;
  std::string why_;
};

} // namespace culvert
