// The file of a unix socket: taken over when nobody listens on it any more, and removed by the
// process that made it.
//
// Any thread; for set-up and the end, not for the byte path (it touches the file system), but it
// waits for nobody. A file is taken over only under a lock on its folder, and made under it where
// it can be had, so no process of Culvert removes the file of another that is about to listen.
#pragma once

#include <string>
#include <sys/types.h>

namespace culvert {

/// The file that a listening socket was bound to. Made right after listening, while the socket is
/// open, so that no other file can have its identity.
class SocketFile {
public:
  SocketFile() = default;
  explicit SocketFile(std::string path);
  SocketFile(SocketFile &&other) noexcept;
  SocketFile &operator=(SocketFile &&other) noexcept;
  ~SocketFile() { remove(); }

  /// 0 or the negated errno. Whoever came before it met the mode of the umask.
  [[nodiscard]] int set_mode(unsigned mode) const;
  /// Unless the path leads to another file by now. Before the socket is closed: until then nobody
  /// takes the file over.
  void remove();

private:
  std::string path_; // empty: nothing to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// While it lives and is held, no other process of Culvert takes over a socket file in that folder.
/// Tried once: whoever may open the folder may hold its lock for as long as he likes.
class FolderLock {
public:
  explicit FolderLock(const std::string &path);
  FolderLock(const FolderLock &) = delete;
  FolderLock &operator=(const FolderLock &) = delete;
  ~FolderLock();
  [[nodiscard]] bool held() const { return held_; }

private:
  int descriptor_ = -1;
  bool held_ = false;
};

enum class PathUse : unsigned char { kNothing, kNoSocket, kSomebodyListens, kNobodyListens };
/// Connects to a socket: whoever listens sees a connection that ends at once.
PathUse use_of_path(const std::string &path);

} // namespace culvert
