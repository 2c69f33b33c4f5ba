// The file of a unix socket: taken over when nobody listens on it any more, and removed by the
// process that made it.
//
// Any thread; for set-up and the end, not for the byte path (it touches the file system). Two
// processes of Culvert that want one path take turns by a lock on its folder, so neither removes
// the other's living file.
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

  /// Unless the path leads to another file by now. Before the socket is closed.
  void remove();

private:
  std::string path_; // empty: nothing to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// While it lives, no other process of Culvert makes or removes a socket file in that folder. When
/// the folder cannot be locked within a second it protects nothing.
class FolderLock {
public:
  explicit FolderLock(const std::string &path);
  FolderLock(const FolderLock &) = delete;
  FolderLock &operator=(const FolderLock &) = delete;
  ~FolderLock();

private:
  int descriptor_ = -1;
};

enum class PathUse : unsigned char { kNothing, kNoSocket, kSomebodyListens, kNobodyListens };
PathUse use_of_path(const std::string &path);

} // namespace culvert
