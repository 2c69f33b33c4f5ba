#include "plugin/object_file.hpp"

#include "core/limits.hpp"
#include "io/advice.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <link.h>
#include <system_error>
#include <vector>

namespace culvert {

namespace {

using FileHeader = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

constexpr std::string_view kCutOff = "wanted a shared object, found one that is cut off; copy or "
                                     "build the plugin again";

class ObjectFile {
public:
  explicit ObjectFile(const std::string &file) : stream_(file, std::ios::binary) {
    if (stream_.is_open()) {
      stream_.seekg(0, std::ios::end);
      size_ = static_cast<std::uint64_t>(std::max<std::streamoff>(stream_.tellg(), 0));
    }
  }
  [[nodiscard]] bool is_open() const { return stream_.is_open(); }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// False if the file does not have this much at that offset.
  template <typename T> bool read(std::uint64_t offset, std::uint64_t count, std::vector<T> &into) {
    if (offset > size_ || count > (size_ - offset) / sizeof(T)) {
      return false;
    }
    into.resize(count);
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(reinterpret_cast<char *>(into.data()),
                 static_cast<std::streamsize>(count * sizeof(T)));
    return stream_.good();
  }

private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

std::string machine_of(const FileHeader &header) {
  switch (header.e_machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "AArch64";
  case EM_386:
    return "32-bit x86";
  case EM_ARM:
    return "32-bit ARM";
  case EM_RISCV:
    return "RISC-V";
  default:
    return "another machine (ELF number " + std::to_string(header.e_machine) + ")";
  }
}

/// Nothing if it is not an ELF file.
bool read_header(ObjectFile &file, FileHeader &header) {
  std::vector<FileHeader> one;
  if (!file.read(0, 1, one) || std::memcmp(one[0].e_ident, ELFMAG, SELFMAG) != 0) {
    return false;
  }
  header = one[0];
  return true;
}

std::string wrong_header(const FileHeader &header) {
  FileHeader own{};
  ObjectFile program("/proc/self/exe");
  if (read_header(program, own) &&
      (header.e_machine != own.e_machine || header.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
       header.e_ident[EI_DATA] != own.e_ident[EI_DATA])) {
    return "wanted a shared object for " + machine_of(own) + ", found one for " +
           machine_of(header) + "; take the plugin that was built for this machine";
  }
  if (header.e_type != ET_DYN) {
    return "wanted a shared object, found another kind of ELF file; link it with -shared";
  }
  return {};
}

bool exports(const std::vector<Symbol> &symbols, const std::vector<char> &names,
             std::string_view wanted) {
  return std::any_of(symbols.begin(), symbols.end(), [&](const Symbol &symbol) {
    return symbol.st_shndx != SHN_UNDEF && symbol.st_name < names.size() &&
           names.size() - symbol.st_name > wanted.size() &&
           std::memcmp(names.data() + symbol.st_name, wanted.data(), wanted.size()) == 0 &&
           names[symbol.st_name + wanted.size()] == '\0';
  });
}

std::string wrong_symbols(ObjectFile &file, const FileHeader &header, std::string_view wanted) {
  std::vector<Section> sections;
  std::vector<Symbol> symbols;
  std::vector<char> names;
  if (!file.read(header.e_shoff, header.e_shnum, sections)) {
    return std::string(kCutOff);
  }
  // The linker makes one such section. Reading more of them would only read the file again and
  // again.
  const auto section = std::find_if(sections.begin(), sections.end(),
                                    [](const Section &one) { return one.sh_type == SHT_DYNSYM; });
  if (section != sections.end()) {
    if (section->sh_link >= sections.size() ||
        !file.read(section->sh_offset, section->sh_size / sizeof(Symbol), symbols) ||
        !file.read(sections[section->sh_link].sh_offset, sections[section->sh_link].sh_size,
                   names)) {
      return std::string(kCutOff);
    }
    if (exports(symbols, names, wanted)) {
      return {};
    }
  }
  return "wanted the symbol " + std::string(wanted) +
         ", found none; build it with the SDK's CULVERT_PLUGIN_ENTRY";
}

} // namespace

std::string wrong_object(const std::string &path, std::string_view symbol) {
  errno = 0;
  ObjectFile file(path);
  if (!file.is_open()) {
    const bool full = errno == EMFILE;
    return "it cannot be read: " + std::generic_category().message(errno) + "; " +
           (full ? kOpenFilesAdvice : "let this user read it");
  }
  if (file.size() == 0) {
    return "wanted a shared object, found an empty file; copy or build the plugin again";
  }
  if (file.size() > kPluginFileBytes) {
    return "wanted a shared object of at most " + std::to_string(kPluginFileBytes) +
           " bytes, found " + std::to_string(file.size()) + "; put the plugin itself there";
  }
  FileHeader header{};
  if (!read_header(file, header)) {
    return "wanted a shared object, found a file that is none (no ELF file); put the plugin itself "
           "there";
  }
  std::string wrong = wrong_header(header);
  if (wrong.empty() && header.e_shoff != 0) { // without sections the linker checks the symbol
    wrong = wrong_symbols(file, header, symbol);
  }
  return wrong;
}

bool holds_text(const std::string &path, const std::string &text) {
  ObjectFile file(path);
  std::vector<char> content;
  const char *sought = text.c_str();
  return file.is_open() && file.size() <= kPluginFileBytes && file.read(0, file.size(), content) &&
         std::search(content.begin(), content.end(), sought, sought + text.size() + 1) !=
             content.end();
}

} // namespace culvert
