// Reads secrets where an operator keeps them: env:NAME, file:PATH, or - for standard input.
//
// One thread. It keeps what standard input gave, so that a reload can read it again; nothing else.
#pragma once

#include "culvert/secret.hpp"
#include "culvert/status.hpp"

#include <string>

namespace culvert {

/// What the operator allows, and what references are relative to.
struct SecretPolicy {
  /// A secret may be written in place of its reference, where others can read it.
  bool literals = false;
  /// A secret may be in a file that every user of this machine may open.
  bool readable_files = false;
  /// References are in a configuration file: standard input is none of its sources.
  bool in_file = false;
  std::string folder; // relative paths begin here; empty: in the working directory
};

class SecretReader {
public:
  explicit SecretReader(SecretPolicy policy = {}) : policy_(std::move(policy)) {}
  [[nodiscard]] const SecretPolicy &policy() const { return policy_; }
  void use(SecretPolicy policy) { policy_ = std::move(policy); }

  /// The secret that `reference` names; `setting` is for the failure, which never holds the secret.
  /// Source::kConfig: the reference is wrong. Source::kLocal: what it names is missing or unusable.
  /// One newline at the end, "\n" or "\r\n", does not belong to the secret.
  Result<Secret> read(const std::string &reference, const std::string &setting);
  /// Whether nobody but the owner and the group of a file may open it. A file that is not there
  /// passes: whoever reads it says so.
  [[nodiscard]] Status check_private(const std::string &path, const std::string &setting) const;
  /// The path as seen from the folder.
  [[nodiscard]] std::string located(const std::string &path) const;
  /// Before the same settings are read once more.
  void begin_again() { stdin_setting_.clear(); }

private:
  [[nodiscard]] Status check_mode(const std::string &path, unsigned mode_of_it,
                                  const std::string &setting) const;
  Result<std::string> from_file(const std::string &path, const std::string &setting) const;
  Result<std::string> from_stdin(const std::string &setting);
  [[nodiscard]] Status no_literal(const std::string &reference, const std::string &setting) const;

  SecretPolicy policy_;
  std::string stdin_setting_; // what standard input was read for
  bool stdin_read_ = false;
  Secret stdin_secret_;
};

/// True if what a reference names stands elsewhere: a secret that turns out wrong is then the
/// machine's state and not a mistake of whoever wrote the reference.
bool is_secret_reference(const std::string &text);

} // namespace culvert
