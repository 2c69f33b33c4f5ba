#include "admin/server.hpp"

#include "admin/metrics.hpp"
#include "admin/status_json.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <fcntl.h>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>

namespace culvert {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using Failure = boost::system::error_code;

constexpr std::chrono::milliseconds kPause{100}; // after an accept without a descriptor

/// A descriptor that is kept for the next question, for the time when tunnels have all others.
class SpareDescriptor {
public:
  SpareDescriptor() { take(); }
  SpareDescriptor(const SpareDescriptor &) = delete;
  SpareDescriptor &operator=(const SpareDescriptor &) = delete;
  ~SpareDescriptor() { give(); }
  /// Does nothing if it is there already, or if there is none.
  void take() { fd_ = fd_ < 0 ? ::open("/", O_PATH | O_CLOEXEC) : fd_; }
  /// Makes room for one other. False: it is not there.
  bool give() {
    const int fd = std::exchange(fd_, -1);
    return fd >= 0 && ::close(fd) == 0;
  }

private:
  int fd_ = -1;
};

/// Of a Host header: "localhost" or a loopback address, each with or without a port. Any other name
/// may be that of a page which leads its own name to this machine (DNS rebinding).
bool is_loopback_host(std::string_view host) {
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos &&
      host.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) {
    return false;
  }
  std::string_view name = host.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);
  }
  Failure no_address;
  const auto address = asio::ip::make_address(std::string(name), no_address);
  return beast::iequals({name.data(), name.size()}, "localhost") ||
         (!no_address && address.is_loopback());
}

struct Answer {
  http::status status = http::status::ok;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

class Server;

/// One connection: one request, one answer. It lives as long as an operation or the server refers
/// to it.
class Session : public std::enable_shared_from_this<Session> {
public:
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;
  Session(Stream::socket_type socket, Server &server)
      : server_(server), stream_(std::move(socket)), buffer_(kAdminHeadBytes) {
    parser_.header_limit(kAdminHeadBytes);
    parser_.body_limit(0);
  }
  void start() {
    stream_.expires_after(std::chrono::milliseconds(kAdminMs));
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](const Failure &failure, std::size_t) {
                              self->on_head(failure);
                            });
  }
  void answer(Answer answer) {
    response_.version(11);
    response_.result(answer.status);
    response_.set(http::field::content_type, answer.type);
    response_.set(http::field::cache_control, "no-store");
    response_.keep_alive(false);
    if (parser_.is_header_done() && parser_.get().method() != http::verb::head) {
      response_.body() = std::move(answer.body);
    }
    response_.prepare_payload();
    stream_.expires_after(std::chrono::milliseconds(kAdminMs));
    http::async_write(stream_, response_,
                      [self = shared_from_this()](const Failure &, std::size_t) {
                        Failure ignored;
                        self->stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
                      });
  }
  void close() { stream_.close(); }

private:
  void on_head(const Failure &failure);

  Server &server_;
  Stream stream_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
};

class Server final : public AdminServer {
public:
  explicit Server(AdminOptions options)
      : options_(std::move(options)), acceptor_(context_), pause_(context_), patience_(context_) {}
  ~Server() override {
    context_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  Status start() {
    const Protocol protocol = options_.unix_socket ? Protocol(asio::local::stream_protocol())
                                                   : Protocol(asio::ip::tcp::v4());
    Failure failure;
    acceptor_.assign(protocol, options_.listening, failure);
    if (!failure) {
      acceptor_.non_blocking(true, failure);
    }
    if (failure) {
      return Status::machine("the admin endpoint cannot use its socket: " + failure.message());
    }
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }
  bool take_reload() override {
    Reload asked = Reload::kAsked;
    return reload_.compare_exchange_strong(asked, Reload::kTaken);
  }
  void answer_reload(bool reloaded, const std::vector<std::string> &sentences) override {
    asio::post(context_, [this, reloaded, text = reload_json(reloaded, sentences)] {
      reload_ = Reload::kNone;
      end_reload({reloaded ? http::status::ok : http::status::unprocessable_entity,
                  "application/json", text});
    });
  }

  // --- on the thread of the server --------------------------------------------------------------
  void on_descriptor_freed() { spare_.take(); }
  void serve(const http::request<http::empty_body> &request,
             const std::shared_ptr<Session> &session) {
    const std::string_view path(request.target().data(), request.target().size());
    const auto host = request.find(http::field::host);
    if (request.find(http::field::origin) != request.end()) {
      session->answer(
          {http::status::forbidden, "text/plain", "a page of a browser may not ask here\n"});
    } else if (!options_.unix_socket && host != request.end() &&
               !is_loopback_host({host->value().data(), host->value().size()})) {
      session->answer({http::status::forbidden, "text/plain",
                       "the Host of the request is no loopback address; ask http://127.0.0.1 or "
                       "http://localhost\n"});
    } else if (path == "/reload") {
      reload(request.method(), session);
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
      session->answer({http::status::method_not_allowed, "text/plain", "write GET\n"});
    } else {
      session->answer(page(path));
    }
  }

private:
  /// kNone -> kAsked (a request) -> kTaken (by the control thread) -> kNone (answered); kAsked ->
  /// kNone when nobody took it in time.
  enum class Reload : std::uint8_t { kNone, kAsked, kTaken };

  /// It waits for a client before it asks for a descriptor: a spare one that is free meanwhile
  /// would go to a tunnel.
  void accept() {
    acceptor_.async_wait(asio::socket_base::wait_read, [this](const Failure &) { on_client(); });
  }
  void on_client() {
    Failure failure;
    Stream::socket_type socket(context_);
    acceptor_.accept(socket, failure);
    if (failure && failure != asio::error::would_block && spare_.give()) {
      acceptor_.accept(socket, failure);
    }
    spare_.take();
    if (failure && failure != asio::error::would_block) {
      pause_.expires_after(kPause);
      pause_.async_wait([this](const Failure &) { accept(); });
      return;
    }
    if (!failure) {
      make_room();
      auto session = std::make_shared<Session>(std::move(socket), *this);
      sessions_.push_back(session);
      session->start();
    }
    accept();
  }
  void make_room() {
    std::erase_if(sessions_, [](const auto &session) { return session.expired(); });
    if (sessions_.size() >= kAdminConnections) {
      if (const auto oldest = sessions_.front().lock()) {
        oldest->close();
      }
      sessions_.erase(sessions_.begin());
    }
  }

  static Answer verdict(const std::string &why) {
    return why.empty()
               ? Answer{http::status::ok, "text/plain; charset=utf-8", "ok\n"}
               : Answer{http::status::service_unavailable, "text/plain; charset=utf-8", why + "\n"};
  }
  Answer page(std::string_view path) {
    if (path == "/healthz") {
      return verdict(options_.snapshot().not_healthy());
    }
    if (path == "/readyz") {
      return verdict(options_.snapshot().not_ready());
    }
    if (path == "/metrics") {
      return {http::status::ok, "text/plain; version=0.0.4; charset=utf-8",
              metrics_text(options_.snapshot())};
    }
    if (path == "/status") {
      return {http::status::ok, "application/json", status_json(options_.snapshot())};
    }
    return {http::status::not_found, "text/plain",
            "there are /healthz, /readyz, /metrics, /status and POST /reload\n"};
  }

  void reload(http::verb method, const std::shared_ptr<Session> &session) {
    if (method != http::verb::post) {
      session->answer({http::status::method_not_allowed, "text/plain", "write POST\n"});
      return;
    }
    if (!options_.reloads) {
      session->answer({http::status::not_implemented, "application/json",
                       reload_json(false, {"this process cannot reload; restart it"})});
      return;
    }
    Reload none = Reload::kNone;
    if (!reload_.compare_exchange_strong(none, Reload::kAsked)) {
      session->answer({http::status::conflict, "application/json",
                       reload_json(false, {"another reload is under way; try again"})});
      return;
    }
    reloading_ = session;
    patience_.expires_after(std::chrono::milliseconds(kAdminReloadMs));
    patience_.async_wait([this](const Failure &cancelled) {
      if (!cancelled) {
        Reload asked = Reload::kAsked;
        reload_.compare_exchange_strong(asked, Reload::kNone);
        end_reload({http::status::gateway_timeout, "application/json",
                    reload_json(false, {"no answer in time; the log says what became of it"})});
      }
    });
  }
  void end_reload(Answer answer) {
    patience_.cancel();
    if (const std::shared_ptr<Session> waiting = std::exchange(reloading_, nullptr)) {
      waiting->answer(std::move(answer));
    }
  }

  const AdminOptions options_;
  SpareDescriptor spare_; // lives longer than the sessions
  asio::io_context context_{1};
  asio::basic_socket_acceptor<Protocol> acceptor_;
  asio::steady_timer pause_;
  asio::steady_timer patience_; // of the reload
  std::vector<std::weak_ptr<Session>> sessions_;
  std::shared_ptr<Session> reloading_;
  std::atomic<Reload> reload_ = Reload::kNone;
  std::thread thread_;
};

/// What it frees is kept at once, before tunnels take it.
Session::~Session() {
  Failure ignored;
  stream_.socket().close(ignored);
  server_.on_descriptor_freed();
}

void Session::on_head(const Failure &failure) {
  if (!failure) {
    server_.serve(parser_.get(), shared_from_this());
  } else if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    answer({http::status::request_header_fields_too_large, "text/plain", ""});
  } else if (failure.category() == http::make_error_code(http::error::bad_method).category() &&
             failure != http::error::end_of_stream && failure != http::error::partial_message) {
    answer({http::status::bad_request, "text/plain", ""});
  }
}

} // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(AdminOptions options) {
  auto server = std::make_unique<Server>(std::move(options));
  if (Status status = server->start(); !status.ok()) {
    return status;
  }
  return std::unique_ptr<AdminServer>(std::move(server));
}

} // namespace culvert
