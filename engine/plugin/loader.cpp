#include "plugin/loader.hpp"

#include "plugin/entry.hpp"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dlfcn.h>
#include <exception>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace culvert {

namespace {

namespace fs = std::filesystem;

constexpr const char *kEntrySymbol = "culvert_plugin_v1";

bool ours(const struct stat &facts) {
  return facts.st_uid == 0 || facts.st_uid == geteuid();
}

std::string mode_text(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777U));
  return text;
}

/// Empty when the component is safe above `below` (nullptr: it is the file itself).
std::string wrong_component(const std::string &path, const struct stat &facts,
                            const struct stat *below) {
  if (!ours(facts)) {
    return path + " belongs to user " + std::to_string(facts.st_uid) +
           "; it must belong to root or to user " + std::to_string(geteuid());
  }
  const bool open = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = below != nullptr && (facts.st_mode & S_ISVTX) != 0 && ours(*below);
  if (open && !sticky) {
    return path + " may be written by others (mode " + mode_text(facts.st_mode) +
           "); run: chmod go-w " + path;
  }
  return {};
}

Result<std::string> canonical(const std::string &path, std::string_view advice) {
  std::error_code error;
  const fs::path found = fs::canonical(path, error);
  if (error) {
    return Status::config(path + ": " + error.message() + "; " + std::string(advice));
  }
  return found.string();
}

/// Kept mapped by the linker itself: RTLD_NODELETE outlives the handle, and no list of handles
/// has to outlive every static object.
Result<const culvert_plugin *> map(const std::string &file) {
  const auto mode = static_cast<boost::dll::load_mode::type>(
      static_cast<unsigned>(boost::dll::load_mode::rtld_now) |
      static_cast<unsigned>(boost::dll::load_mode::rtld_local) | RTLD_NODELETE);
  try {
    const boost::dll::shared_library library(boost::dll::fs::path(file), mode);
    if (!library.has(kEntrySymbol)) {
      return Status::config(file + ": wanted the symbol " + kEntrySymbol +
                            ", found none; build it with the SDK's CULVERT_PLUGIN_ENTRY");
    }
    return &library.get<const culvert_plugin>(kEntrySymbol);
  } catch (const std::exception &error) {
    return Status::config(file +
                          ": wanted a shared object that can be mapped, found: " + error.what());
  }
}

} // namespace

Status check_owners(const std::string &path) {
  struct stat below {};
  bool is_file = true;
  for (fs::path part = path;; part = part.parent_path()) {
    struct stat facts {};
    if (::lstat(part.c_str(), &facts) != 0) {
      return Status::config(part.string() + ": " + std::generic_category().message(errno));
    }
    if (std::string wrong = wrong_component(part.string(), facts, is_file ? nullptr : &below);
        !wrong.empty()) {
      return Status::config(wrong);
    }
    if (part == part.parent_path()) {
      return {};
    }
    below = facts;
    is_file = false;
  }
}

Result<std::vector<std::string>> list_plugin_files(const std::string &directory) {
  std::vector<std::string> ids;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path &path = entries->path();
    if (path.extension() == ".so" && valid_plugin_id(path.stem().string())) {
      ids.push_back(path.stem().string());
    }
  }
  if (error) {
    return Status::config("plugin directory " + directory + ": " + error.message() +
                          "; name a readable directory with --plugin-dir");
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<LoadedPlugin> load_plugin(const std::string &directory, std::string_view id) {
  if (!valid_plugin_id(id)) {
    return Status::config("plugin '" + std::string(id) +
                          "': an id has lower-case letters, digits and '_' only");
  }
  if (directory.empty()) {
    return Status::config("plugin '" + std::string(id) +
                          "' is not part of this program, and there is no plugin directory");
  }
  const Result<std::string> folder =
      canonical(directory, "name the directory of the plugins with --plugin-dir");
  if (!folder.ok()) {
    return folder.status();
  }
  const Result<std::string> file =
      canonical(folder.value() + "/" + std::string(id) + ".so",
                "put the plugin there, or name another directory with --plugin-dir");
  if (!file.ok()) {
    return file.status();
  }
  if (!fs::is_regular_file(file.value())) {
    return Status::config(file.value() + ": wanted a file, found something else");
  }
  if (Status status = check_owners(file.value()); !status.ok()) {
    return status;
  }
  const Result<const culvert_plugin *> entry = map(file.value());
  if (!entry.ok()) {
    return entry.status();
  }
  if (Status status = check_entry(*entry.value(), id, file.value()); !status.ok()) {
    return status;
  }
  return LoadedPlugin{entry.value(), file.value()};
}

} // namespace culvert
