#include "plugin/loader.hpp"

#include "plugin/entry.hpp"
#include "plugin/object_file.hpp"

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
  if (!error) {
    return found.string();
  }
  if (error == std::errc::permission_denied) {
    advice = "let this user enter the directory";
  }
  return Status::machine(path + ": " + error.message() + "; " + std::string(advice));
}

/// What the dynamic linker refused, in our words where it is the plugin's own fault.
std::string refused_by_linker(const std::string &file) {
  const char *words = ::dlerror();
  std::string reason = words == nullptr ? "nothing that explains it" : words;
  constexpr std::string_view kUndefined = "undefined symbol: ";
  const std::size_t symbol = reason.find(kUndefined);
  if (symbol != std::string::npos) {
    const std::string name = reason.substr(symbol + kUndefined.size());
    return "wanted every symbol resolved, found none for '" +
           name.substr(0, name.find_first_of(" ,(")) +
           "'; link the library that has it, and build with -Wl,--no-undefined";
  }
  if (reason.starts_with(file + ": ")) {
    reason.erase(0, file.size() + 2);
  }
  return "wanted a shared object that can be mapped, found: " + reason +
         "; install what it needs, or build it again";
}

/// Kept mapped by the linker itself: RTLD_NODELETE outlives the handle, and no list of handles
/// has to outlive every static object.
Result<const culvert_plugin *> map(const std::string &file) {
  const auto mode = static_cast<boost::dll::load_mode::type>(
      static_cast<unsigned>(boost::dll::load_mode::rtld_now) |
      static_cast<unsigned>(boost::dll::load_mode::rtld_local) | RTLD_NODELETE);
  try {
    boost::dll::shared_library library;
    boost::dll::fs::error_code error;
    library.load(boost::dll::fs::path(file), error, mode);
    if (error) {
      return Status::machine(file + ": " + refused_by_linker(file));
    }
    return &library.get<const culvert_plugin>(kEntrySymbol);
  } catch (const std::exception &error) {
    return Status::machine(file + ": wanted the symbol " + kEntrySymbol + ", found: " +
                           error.what() + "; build it with the SDK's CULVERT_PLUGIN_ENTRY");
  }
}

bool may_be_plugin(const fs::path &path) {
  std::error_code unseen;
  const bool named = path.extension() == ".so" && valid_plugin_id(path.stem().string());
  return named && fs::is_regular_file(path, unseen) &&
         wrong_object(path.string(), kEntrySymbol).empty();
}

} // namespace

Status check_owners(const std::string &path) {
  struct stat below {};
  bool is_file = true;
  for (fs::path part = path;; part = part.parent_path()) {
    struct stat facts {};
    if (::lstat(part.c_str(), &facts) != 0) {
      return Status::machine(part.string() + ": " + std::generic_category().message(errno));
    }
    const std::string wrong = wrong_component(part.string(), facts, is_file ? nullptr : &below);
    if (!wrong.empty()) {
      return Status::machine(wrong);
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
    if (may_be_plugin(path)) {
      ids.push_back(path.stem().string());
    }
  }
  if (error) {
    return Status::machine("plugin directory " + directory + ": " + error.message() +
                           "; name a readable directory with plugin_directory");
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::string> list_plugins_of_kind(const std::string &directory,
                                              const std::string &kind) {
  Result<std::vector<std::string>> ids = list_plugin_files(directory);
  if (!ids.ok()) {
    return {};
  }
  std::vector<std::string> &all = ids.value();
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const std::string &id) {
                             return !holds_text(directory + "/" + id + ".so", kind);
                           }),
            all.end());
  return std::move(all);
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
      canonical(directory, "name the directory of the plugins with plugin_directory");
  if (!folder.ok()) {
    return folder.status();
  }
  const Result<std::string> file =
      canonical(folder.value() + "/" + std::string(id) + ".so",
                "put the plugin there, or name another directory with plugin_directory");
  if (!file.ok()) {
    return file.status();
  }
  std::error_code unseen;
  if (!fs::is_regular_file(file.value(), unseen)) {
    return Status::machine(file.value() + ": wanted a file, found a directory or a device; put "
                                          "the plugin itself there");
  }
  if (Status status = check_owners(file.value()); !status.ok()) {
    return status;
  }
  if (const std::string wrong = wrong_object(file.value(), kEntrySymbol); !wrong.empty()) {
    return Status::machine(file.value() + ": " + wrong);
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
