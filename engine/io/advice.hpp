// Advice for an operator that several places print.
#pragma once

namespace culvert {

inline constexpr char kOpenFilesAdvice[] = "raise this process's limit of open files (ulimit -n)";

} // namespace culvert
