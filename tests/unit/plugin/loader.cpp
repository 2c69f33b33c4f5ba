// Finding, checking, mapping and describing real shared objects.
#include "plugin/object_file.hpp"
#include "plugin_world.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace culvert::test {
namespace {

namespace fs = std::filesystem;

std::string plugins() {
  return fs::canonical(CULVERT_TEST_PLUGINS).string();
}

/// A fresh directory below a sticky one, with a plugin in it.
class Folder {
public:
  Folder() {
    char name[] = "/tmp/culvert-plugins-XXXXXX";
    path_ = mkdtemp(name);
    fs::copy_file(plugins() + "/plain.so", path_ + "/plain.so");
    allow(path_ + "/plain.so", 0755);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  ~Folder() { fs::remove_all(path_); }

  [[nodiscard]] const std::string &path() const { return path_; }
  static void allow(const std::string &path, mode_t mode) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }

private:
  std::string path_;
};

TEST(Loader, LoadsAPluginAndItsInstanceAnswers) {
  PluginWorld world;
  PluginSet plugin_set(world.services, {plugins()});
  auto unit = plugin_set.make_unit("plain", PluginKind::kResolver, {});
  ASSERT_TRUE(unit.ok()) << unit.status().message;
  auto resolver = unit.value()->resolver(world.shard);
  ASSERT_TRUE(resolver.ok());
  Listener<ResolveName> owner;
  resolver.value()->resolve(owner.operation, "x");
  ASSERT_TRUE(world.run(owner.operation));
  ASSERT_TRUE(owner.operation.result.ok());
  EXPECT_EQ(owner.operation.result.value().addresses.at(0).host(), "127.0.0.1");
  EXPECT_TRUE(world.logged(
      "plugin loaded plugin=plain version=1.2.3 license=MIT file=" + plugins() + "/plain.so"));
}

TEST(Loader, AnIdIsLoadedOnceAndStaysLoadedWhenItsPluginSetIsGone) {
  PluginWorld world;
  const culvert_plugin *entry = nullptr;
  {
    PluginSet plugin_set(world.services, {plugins()});
    entry = plugin_set.load("plain").value();
    EXPECT_EQ(plugin_set.load("plain").value(), entry);
  }
  EXPECT_EQ(std::string(entry->id), "plain");
  PluginSet again(world.services, {plugins()});
  EXPECT_EQ(again.load("plain").value(), entry);
}

TEST(Loader, SaysWhichFileWhatWasWantedWhatWasFoundAndWhatToDo) {
  const std::string folder = plugins() + "/";
  struct Case {
    const char *id;
    std::string message;
  };
  const Case cases[] = {
      {"Plain", "plugin 'Plain': an id has lower-case letters, digits and '_' only"},
      {"../plain", "plugin '../plain': an id has lower-case letters, digits and '_' only"},
      {"", "plugin '': an id has lower-case letters, digits and '_' only"},
      {"wrong_id", folder + "wrong_id.so: wanted the id 'wrong_id', found 'other'; the id is the "
                            "file's name without .so"},
      {"wrong_magic", folder + "wrong_magic.so: wanted the magic number 31474c5054564c43, found "
                               "0000000000000001; this is no Culvert plugin, or one for another "
                               "machine"},
      {"newer_minor", folder + "newer_minor.so: it requires ABI 1.9, this program offers 1.1; use "
                               "a newer Culvert or an older plugin"},
      {"no_symbol", folder + "no_symbol.so: wanted the symbol culvert_plugin_v1, found none; build "
                             "it with the SDK's CULVERT_PLUGIN_ENTRY"},
  };
  for (const Case &one : cases) {
    SCOPED_TRACE(one.id);
    const auto loaded = load_plugin({plugins()}, one.id);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.status().message, one.message);
    EXPECT_EQ(loaded.status().source, valid_plugin_id(one.id) ? Source::kLocal : Source::kConfig);
  }
}

TEST(Loader, RefusesAFileThatIsTooLargeToBeRead) {
  Folder folder;
  const std::string file = folder.path() + "/plain.so";
  EXPECT_EQ(list_plugin_files({folder.path()}).value(), std::vector<std::string>{"plain"});
  fs::resize_file(file, kPluginFileBytes + 1); // a hole: nothing is written
  const auto loaded = load_plugin({folder.path()}, "plain");
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().message,
            file + ": wanted a shared object of at most 268435456 bytes, found 268435457; put the "
                   "plugin itself there");
  EXPECT_TRUE(list_plugin_files({folder.path()}).value().empty());
  EXPECT_FALSE(holds_text(file, "culvert.kind.auth/1"));
}

TEST(Loader, RefusesWhatIsNoSharedObject) {
  Folder folder;
  std::ifstream plain(plugins() + "/plain.so", std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(plain)), std::istreambuf_iterator<char>());
  constexpr std::size_t kType = 16; // of ELF's header, then the machine
  std::string foreign = good;
  foreign[kType + 2] = char(0xf3); // RISC-V
  foreign[kType + 3] = 0;
  std::string relocatable = good;
  relocatable[kType] = 1;
  struct Case {
    const char *id;
    std::string content;
    const char *message;
  };
  const Case cases[] = {
      {"empty", "", "wanted a shared object, found an empty file; copy or build the plugin again"},
      {"text", "not an object",
       "wanted a shared object, found a file that is none (no ELF file); put the plugin itself "
       "there"},
      {"head", good.substr(0, 40), // not even a header
       "wanted a shared object, found a file that is none (no ELF file); put the plugin itself "
       "there"},
      {"cut", good.substr(0, good.size() - 1),
       "wanted a shared object, found one that is cut off; copy or build the plugin again"},
      {"relocatable", relocatable,
       "wanted a shared object, found another kind of ELF file; link it with -shared"},
      {"foreign", foreign, "found one for RISC-V; take the plugin that was built for this machine"},
  };
  fs::create_directory(folder.path() + "/folder.so");
  for (const Case &one : cases) {
    const std::string file = folder.path() + "/" + one.id + ".so";
    std::ofstream(file, std::ios::binary) << one.content;
    Folder::allow(file, 0755);
    const auto loaded = load_plugin({folder.path()}, one.id);
    ASSERT_FALSE(loaded.ok()) << one.id;
    EXPECT_EQ(loaded.status().message.find(file + ": wanted a shared object"), 0U);
    EXPECT_TRUE(loaded.status().message.ends_with(one.message)) << loaded.status().message;
    EXPECT_EQ(loaded.status().source, Source::kLocal);
  }
  EXPECT_EQ(load_plugin({folder.path()}, "folder").status().message,
            folder.path() + "/folder.so: wanted a file, found a directory or a device; put the "
                            "plugin itself there");
  EXPECT_EQ(list_plugin_files({folder.path()}).value(), std::vector<std::string>{"plain"});
}

TEST(Loader, ASharedObjectDamagedAnywhereIsNoHarmUnmapped) {
  Folder folder;
  const std::string file = folder.path() + "/plain.so";
  std::ifstream plain(file, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(plain)), std::istreambuf_iterator<char>());
  SeededRandom random(1);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = content;
    const std::size_t sections = content.size() - 64 * 30; // the section headers stand at the end
    for (int byte = 0; byte < 8; ++byte) {
      const std::size_t at =
          byte < 4 ? random.below(64) : sections + random.below(content.size() - sections);
      damaged[at] = static_cast<char>(random.below(256));
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
    const auto ids = list_plugin_files({folder.path()});
    ASSERT_TRUE(ids.ok());
    EXPECT_LE(ids.value().size(), 1U);
  }
}

TEST(Loader, AnUnresolvedSymbolIsNamed) {
  const std::string file = plugins() + "/unresolved.so";
  EXPECT_EQ(load_plugin({plugins()}, "unresolved").status().message,
            file + ": wanted every symbol resolved, found none for 'culvert_test_absent'; link the "
                   "library that has it, and build with -Wl,--no-undefined");
}

TEST(Loader, APluginOfAnotherKindIsRefusedWithThoseThatWouldDo) {
  PluginWorld world;
  Folder folder;
  fs::copy_file(plugins() + "/wrong_id.so", folder.path() + "/second.so");
  std::ofstream(folder.path() + "/text.so") << "culvert.kind.resolver/1" << '\0';
  PluginSet plugin_set(world.services, {folder.path()});
  EXPECT_EQ(plugin_set.make_unit("plain", PluginKind::kAuth, {}).status().message,
            "plugin plain: wanted the kind culvert.kind.auth/1, found culvert.kind.resolver/1, "
            "culvert.kind.later/1; name another plugin here");
  EXPECT_EQ(list_plugins_of_kind({folder.path()}, "culvert.kind.resolver/1"),
            (std::vector<std::string>{"plain", "second"}));
  EXPECT_EQ(list_plugins_of_kind({folder.path()}, "culvert.kind.resolver/"),
            std::vector<std::string>());
  EXPECT_EQ(list_plugins_of_kind({"/nowhere"}, "culvert.kind.resolver/1"),
            std::vector<std::string>());
}

TEST(Loader, NeedsADirectory) {
  EXPECT_EQ(load_plugin({}, "plain").status().message,
            "plugin 'plain' is not part of this program, and there is no plugin directory");
  EXPECT_EQ(load_plugin({"/nowhere"}, "plain").status().message,
            "/nowhere: No such file or directory; name another plugin directory");
}

TEST(Loader, TheFirstDirectoryThatHasTheFileWins) {
  Folder first;
  Folder second;
  fs::copy_file(plugins() + "/wrong_id.so", second.path() + "/other.so"); // its id is "other"
  const Directories both{first.path(), second.path()};
  EXPECT_EQ(load_plugin(both, "plain").value().file, first.path() + "/plain.so");
  EXPECT_EQ(load_plugin({second.path(), first.path()}, "plain").value().file,
            second.path() + "/plain.so");
  EXPECT_EQ(load_plugin(both, "other").value().file, second.path() + "/other.so");
  EXPECT_EQ(list_plugin_files(both).value(), (std::vector<std::string>{"other", "plain"}));
  EXPECT_EQ(list_plugins_of_kind(both, "culvert.kind.resolver/1"),
            (std::vector<std::string>{"other", "plain"}));
  EXPECT_EQ(load_plugin(both, "absent").status().message,
            "there is no plugin 'absent' in " + first.path() + ", " + second.path() +
                ", but other, plain; put its file there, or name another plugin directory");
  EXPECT_EQ(load_plugin({first.path(), "/nowhere"}, "plain").status().message,
            "/nowhere: No such file or directory; name another plugin directory");
  fs::remove(first.path() + "/plain.so");          // it is mapped
  std::ofstream(first.path() + "/plain.so") << ""; // what is there and broken is not passed over
  Folder::allow(first.path() + "/plain.so", 0755);
  EXPECT_NE(load_plugin(both, "plain").status().message.find("found an empty file"),
            std::string::npos);
}

TEST(Loader, EveryComponentBelongsToUsAndIsWrittenByNobodyElse) {
  Folder folder; // below /tmp, which is sticky: safe
  const std::string file = folder.path() + "/plain.so";
  EXPECT_TRUE(load_plugin({folder.path()}, "plain").ok());
  struct Case {
    std::string path;
    mode_t mode;
    const char *text;
  };
  const Case cases[] = {{file, 0777, "0777"},
                        {file, 0775, "0775"},
                        {folder.path(), 0757, "0757"},
                        {folder.path(), 0770, "0770"}};
  for (const Case &one : cases) {
    SCOPED_TRACE(one.path + " " + one.text);
    Folder::allow(one.path, one.mode);
    const auto loaded = load_plugin({folder.path()}, "plain");
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.status().message, one.path + " may be written by others (mode " + one.text +
                                           "); run: chmod go-w " + one.path);
    Folder::allow(one.path, 0755);
  }
  Folder::allow(folder.path(), 01777); // sticky, and the file in it is ours
  EXPECT_TRUE(load_plugin({folder.path()}, "plain").ok());
}

TEST(Loader, AComponentOfAnotherUserIsRefused) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  Folder folder;
  const std::string file = folder.path() + "/plain.so";
  ASSERT_EQ(::chown(file.c_str(), 12345, 0), 0);
  EXPECT_EQ(load_plugin({folder.path()}, "plain").status().message,
            file + " belongs to user 12345; it must belong to root or to user 0");
  Folder::allow(folder.path(), 01777); // sticky, and the file in it is not ours
  EXPECT_FALSE(load_plugin({folder.path()}, "plain").ok());
}

TEST(Loader, ASymbolicLinkIsJudgedByWhereItLeads) {
  Folder folder;
  Folder open;
  fs::remove(folder.path() + "/plain.so");
  fs::create_symlink(open.path() + "/plain.so", folder.path() + "/plain.so");
  EXPECT_TRUE(load_plugin({folder.path()}, "plain").ok());
  Folder::allow(open.path(), 0777);
  EXPECT_FALSE(load_plugin({folder.path()}, "plain").ok());
}

TEST(Loader, ListingMapsNothing) {
  Folder folder;
  std::ofstream(folder.path() + "/text.so") << "not an object";
  std::ofstream(folder.path() + "/Upper.so") << "no id";
  std::ofstream(folder.path() + "/readme.txt") << "no plugin";
  const auto ids = list_plugin_files({folder.path()});
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(ids.value(), std::vector<std::string>{"plain"});
  EXPECT_EQ(list_plugin_files({"/nowhere"}).status().message,
            "plugin directory /nowhere: No such file or directory; name a directory that this user "
            "may read");
}

TEST(Loader, DescribesInAChildWhichMayCrash) {
  const auto text = describe_in_child({plugins()}, "plain");
  ASSERT_TRUE(text.ok()) << text.status().message;
  EXPECT_EQ(text.value(), "id: plain\nversion: 1.2.3\nvendor: Culvert\nlicense: MIT\n"
                          "summary: answers 127.0.0.1\nabi: 1.1, requires 1.0\n"
                          "kind: culvert.kind.resolver/1\nkind: culvert.kind.later/1\n"
                          "service: culvert.service.log/1\n"
                          "setting: names (list, default a,b): names it knows\n"
                          "file: " +
                              plugins() + "/plain.so\n");
  EXPECT_EQ(describe_in_child({plugins()}, "wrong_id").status().message,
            load_plugin({plugins()}, "wrong_id").status().message);
  EXPECT_EQ(describe_in_child({plugins()}, "crashes").status().message,
            plugins() + "/crashes.so: loading this plugin ended the process with signal 6; do not "
                        "use it");
  // The thread sanitizer makes it another code.
  const std::string exits = describe_in_child({plugins()}, "exits").status().message;
  EXPECT_TRUE(exits.starts_with(plugins() + "/exits.so: loading this plugin ended the process with "
                                            "exit code ") &&
              exits.ends_with("; do not use it"))
      << exits;
}

TEST(Loader, AChildThatDoesNotEndIsKilled) {
  EXPECT_EQ(describe_in_child({plugins()}, "hangs", 1'000).status().message,
            plugins() + "/hangs.so: loading this plugin took longer than 1 s; do not use it");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "it is still there";
}

} // namespace
} // namespace culvert::test
