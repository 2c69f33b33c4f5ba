// What an operator can do about a failure that several places report, in the same words.
#pragma once

namespace culvert {

inline constexpr char kOpenFilesAdvice[] = "raise this process's limit of open files (ulimit -n)";

} // namespace culvert
