#include "link/tls_wire.hpp"

#include "core/assert.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/bio.h>
#include <utility>

namespace culvert {

struct TlsWireMethods {
  static TlsWire &wire(BIO *bio) { return *static_cast<TlsWire *>(BIO_get_data(bio)); }

  static int read(BIO *bio, char *into, int size) {
    BIO_clear_retry_flags(bio);
    const int count = wire(bio).read({reinterpret_cast<std::byte *>(into), std::size_t(size)});
    if (count < 0) {
      BIO_set_retry_read(bio);
    }
    return count;
  }
  static int write(BIO *bio, const char *bytes, int size) {
    BIO_clear_retry_flags(bio);
    return wire(bio).write({reinterpret_cast<const std::byte *>(bytes), std::size_t(size)});
  }
  static long control(BIO *, int command, long, void *) { return command == BIO_CTRL_FLUSH; }

  static BIO_METHOD *make() {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "culvert wire");
    CULVERT_ASSERT(method != nullptr);
    BIO_meth_set_read(method, &TlsWireMethods::read);
    BIO_meth_set_write(method, &TlsWireMethods::write);
    BIO_meth_set_ctrl(method, &TlsWireMethods::control);
    return method;
  }
  /// One for the process, and read-only: every BIO points to it.
  static const BIO_METHOD *method() {
    static const BIO_METHOD *const made = make();
    return made;
  }
};

TlsWire::TlsWire() : bio_(BIO_new(TlsWireMethods::method())) {
  CULVERT_ASSERT(bio_ != nullptr);
  BIO_set_data(bio_, this);
  BIO_set_init(bio_, 1);
}

TlsWire::~TlsWire() {
  BIO_free(bio_);
}

void TlsWire::feed(std::span<const std::byte> bytes) {
  CULVERT_ASSERT(in_.empty());
  in_ = bytes;
}

std::span<const std::byte> TlsWire::take_rest() {
  return std::exchange(in_, {});
}

int TlsWire::read(std::span<std::byte> into) {
  if (in_.empty() || !reading_) {
    return -1;
  }
  const std::size_t count = std::min(into.size(), in_.size());
  std::memcpy(into.data(), in_.data(), count);
  in_ = in_.subspan(count);
  return static_cast<int>(count);
}

void TlsWire::open_turn(std::span<std::byte> buffer) {
  CULVERT_ASSERT(!turn_open() && buffer.size() > pending_.size());
  buffer_ = buffer;
  used_ = pending_.size();
  std::copy(pending_.begin(), pending_.end(), buffer_.begin());
  pending_.clear();
}

std::span<std::byte> TlsWire::take_turn() {
  return buffer_.first(std::exchange(used_, 0));
}

int TlsWire::write(std::span<const std::byte> bytes) {
  const std::size_t room = turn_open() ? turn_room() : kTlsPendingBytes - pending_.size();
  if (bytes.size() > room) {
    overflowed_ = true;
    return -1;
  }
  if (turn_open()) {
    std::memcpy(buffer_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
  } else {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }
  return static_cast<int>(bytes.size());
}

} // namespace culvert
