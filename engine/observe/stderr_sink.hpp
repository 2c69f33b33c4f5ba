// Where finished log lines leave the process: stderr, without ever waiting for its reader.
//
// Thread-safe: one lock for all shards. A line is written only when stderr takes it at once; else
// it is dropped and counted, and the next line that goes through is preceded by one about the loss.
// A reader that has stopped can so hold up neither the tunnels nor the end of the process. A line
// that was taken in part is kept, and its rest goes before anything else.
//
// It owns its way to stderr: the file that stderr is when it is made.
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
  /// Tells of lines lost since the last that went through, if the reader takes it now.
  ~StderrSink() override;

protected:
  void sink_it_(const spdlog::details::log_msg &message) override;
  void flush_() override {}

private:
  std::string line_of(const spdlog::details::log_msg &message);
  /// True when nothing is left to be told before the next line.
  bool tell_lost(std::string_view logger, spdlog::log_clock::time_point now);
  /// True when the line was taken, or begun.
  bool put(std::string line);
  bool put_rest();
  ssize_t write_some(std::string_view bytes);

  const Tell tell_;
  int own_ = -1; // a description of stderr's file that never blocks, where there is one
  bool socket_ = false;
  std::string rest_; // of a line that was taken in part
  std::uint64_t lost_ = 0;
  std::string why_;
};

} // namespace culvert
