#include "plugin/loader.hpp"

#include "plugin/entry.hpp"
#include "plugin/object_file.hpp"
#include "plugin/values.hpp"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dlfcn.h>
#include <exception>
#include <filesystem>
#include <set>
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

/// Empty if the component is safe. `below` is the next component, or nullptr for the file itself.
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

/// The dynamic linker's failure, reworded if it is the plugin's own mistake.
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

/// RTLD_NODELETE keeps the object loaded without its handle, so no list of handles must live longer
/// than every static object.
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

Status not_found(const Directories &directories, std::string_view id) {
  const Result<std::vector<std::string>> known = list_plugin_files(directories);
  const bool any = known.ok() && !known.value().empty();
  return Status::machine("there is no plugin '" + std::string(id) + "' in " +
                         comma_list(directories) +
                         (any ? ", but " + comma_list(known.value()) : std::string()) +
                         "; put its file there, or name another plugin directory");
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

Result<std::vector<std::string>> list_plugin_files(const Directories &directories) {
  std::set<std::string> ids;
  for (const std::string &directory : directories) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const fs::path &path = entries->path();
      if (may_be_plugin(path)) {
        ids.insert(path.stem().string());
      }
    }
    if (error) {
      return Status::machine("plugin directory " + directory + ": " + error.message() +
                             "; name a directory that this user may read");
    }
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

std::vector<std::string> list_plugins_of_kind(const Directories &directories,
                                              const std::string &kind) {
  Result<std::vector<std::string>> ids = list_plugin_files(directories);
  if (!ids.ok()) {
    return {};
  }
  std::erase_if(ids.value(), [&](const std::string &id) {
    const Result<std::string> file = find_plugin(directories, id);
    return !file.ok() || !holds_text(file.value(), kind);
  });
  return std::move(ids.value());
}

Result<std::string> find_plugin(const Directories &directories, std::string_view id) {
  if (!valid_plugin_id(id)) {
    return Status::config("plugin '" + std::string(id) +
                          "': an id has lower-case letters, digits and '_' only");
  }
  if (directories.empty()) {
    return Status::config("plugin '" + std::string(id) +
                          "' is not part of this program, and there is no plugin directory");
  }
  Directories folders;
  for (const std::string &directory : directories) {
    Result<std::string> folder = canonical(directory, "name another plugin directory");
    if (!folder.ok()) {
      return folder;
    }
    std::error_code unseen;
    if (!fs::is_directory(folder.value(), unseen)) {
      return Status::machine(directory + ": it is no directory; name another plugin directory");
    }
    folders.push_back(std::move(folder.value()));
  }
  for (const std::string &folder : folders) {
    const std::string file = folder + "/" + std::string(id) + ".so";
    std::error_code unseen;
    if (fs::symlink_status(file, unseen).type() != fs::file_type::not_found) {
      return canonical(file, "put the plugin there, or name another plugin directory");
    }
  }
  return not_found(folders, id);
}

Result<LoadedPlugin> load_plugin(const Directories &directories, std::string_view id) {
  const Result<std::string> file = find_plugin(directories, id);
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
