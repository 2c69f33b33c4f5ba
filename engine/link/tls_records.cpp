#include "link/tls_records.hpp"

#include "core/assert.hpp"
#include "core/limits.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace culvert {

TlsRecords::Read TlsRecords::read(std::span<std::byte> into, std::size_t &size) {
  ERR_clear_error();
  const int result = SSL_read_ex(session_.ssl(), into.data(), into.size(), &size);
  if (result == 1) {
    return Read::kBytes;
  }
  switch (SSL_get_error(session_.ssl(), result)) {
  case SSL_ERROR_WANT_READ:
    return Read::kMore;
  case SSL_ERROR_ZERO_RETURN:
    return Read::kFinished;
  default:
    return Read::kFailed;
  }
}

bool TlsRecords::write(std::span<const std::byte> bytes) {
  CULVERT_ASSERT(!bytes.empty() && bytes.size() <= kRecordBytes);
  ERR_clear_error();
  std::size_t written = 0;
  // The wire takes whole records or none, so there is no partial write.
  return SSL_write_ex(session_.ssl(), bytes.data(), bytes.size(), &written) == 1 &&
         written == bytes.size();
}

void TlsRecords::close_notify() {
  ERR_clear_error();
  SSL_shutdown(session_.ssl());
  ERR_clear_error();
}

} // namespace culvert
