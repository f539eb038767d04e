#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "transport/tls.hpp"
#include "transport/tls_verify.hpp"

namespace wh {
namespace {

using namespace ossl;

byte_stream& stream_of(BIO* bio) { return *static_cast<byte_stream*>(BIO_get_data(bio)); }

bool would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* n) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = stream_of(bio).send(bytes, size);
  if (sent < 0 && would_block(errno)) BIO_set_retry_write(bio);
  *n = sent > 0 ? static_cast<std::size_t>(sent) : 0;
  return sent > 0 ? 1 : 0;
}

int bio_read(BIO* bio, char* to, std::size_t size, std::size_t* n) {
  BIO_clear_retry_flags(bio);
  errno = 0;
  const ssize_t got = stream_of(bio).receive(to, size);
  if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
  *n = got > 0 ? static_cast<std::size_t>(got) : 0;
  return got > 0 ? 1 : 0;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* stream_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "non-blocking stream");
    BIO_meth_set_write_ex(m, bio_write);
    BIO_meth_set_read_ex(m, bio_read);
    BIO_meth_set_ctrl(m, bio_control);
    return m;
  }();
  return method;
}

std::string tls_error_text() {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return error_text();
  // Reasons above SSL_AD_REASON_OFFSET are alerts that the peer sent.
  if (reason > SSL_AD_REASON_OFFSET) {
    ERR_clear_error();
    return std::string("the peer answered with the alert '") +
           SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET) + "'";
  }
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    ERR_clear_error();
    return "the peer does not speak TLS here";
  }
  return error_text();
}

}  // namespace

// MSG_NOSIGNAL is why this is not OpenSSL's socket BIO: its write() raises SIGPIPE when the peer has gone.
ssize_t socket_send(int fd, const char* bytes, std::size_t size) { return ::send(fd, bytes, size, MSG_NOSIGNAL); }
ssize_t socket_receive(int fd, char* to, std::size_t size) { return ::recv(fd, to, size, 0); }

/// What the verification callback has to say, kept beside the SSL because OpenSSL carries only a number.
struct tls_stream::handshake_notes {
  tls_context_ptr context;
  std::string refusal;
  std::optional<subject> refused;  ///< the client's whose certificate it was
  std::string pinned_ca_pem;
  std::shared_ptr<const ticket_jar::ticket> offered;
};

tls_stream::tls_stream(tls_context_ptr context, byte_stream& below)
    : ssl_(SSL_new(context->ctx.get())), notes_(std::make_unique<handshake_notes>()) {
  notes_->context = std::move(context);
  failure_ = fail(errc::internal, "TLS: no memory for a connection");
  BIO* bio = BIO_new(stream_method());
  if (!ssl_ || bio == nullptr) {
    BIO_free(bio);
    ssl_.reset();
    return;
  }
  BIO_set_data(bio, &below);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), notes_.get());
  if (notes_->context->server) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  if (const auto& own = notes_->context->own; own && !show(*own)) {
    failure_ = ossl::failure(errc::invalid, "TLS: own certificate");
    ssl_.reset();
    return;
  }
  SSL_set_connect_state(ssl_.get());
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  // Server name indication carries names only (RFC 6066 section 3). OpenSSL's macro for this call casts in C's way.
  if (char* name = X509_VERIFY_PARAM_get0_host(param, 0))
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
  offer_ticket();
}

void tls_stream::offer_ticket() {
  const auto& place = notes_->context->tickets;
  if (!place.jar) return;
  const auto ticket = place.jar->find(place.key);
  if (!ticket) return;
  // A copy, because the handshake changes it and others may offer the same one meanwhile.
  const ticket_jar::session_ptr session(SSL_SESSION_dup(ticket->session.get()));
  if (session && SSL_set_session(ssl_.get(), session.get()) == 1) notes_->offered = ticket;
}

tls_stream::~tls_stream() = default;

bool tls_stream::show(const tls_credentials& own) {
  ERR_clear_error();
  if (SSL_use_certificate(ssl_.get(), own.certs.front().get()) != 1) return false;
  if (SSL_use_PrivateKey(ssl_.get(), own.key.get()) != 1) return false;
  for (std::size_t i = 1; i < own.certs.size(); ++i)
    if (SSL_add1_chain_cert(ssl_.get(), own.certs[i].get()) != 1) return false;
  return true;
}

int tls_stream::verify_peer(X509_STORE_CTX* store, void*) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* notes = static_cast<handshake_notes*>(SSL_get_app_data(ssl));
  auto found = notes->context->server ? verify_client(store) : verify_server(store, *notes->context);
  notes->refusal = std::move(found.why);
  if (!found.ok && notes->context->server) {
    X509* leaf = X509_STORE_CTX_get0_cert(store);
    auto claimed = leaf ? ossl::read_subject(X509_get_subject_name(leaf)) : result<subject>(subject{});
    notes->refused = claimed ? std::move(*claimed) : subject{};
  }
  notes->pinned_ca_pem = std::move(found.pinned_ca_pem);
  return found.ok ? 1 : 0;
}

io_status tls_stream::outcome(int rc, const char* doing) {
  const int saved = errno;
  const int kind = SSL_get_error(ssl_.get(), rc);
  switch (kind) {
    case SSL_ERROR_NONE: return io_status::done;
    case SSL_ERROR_WANT_READ: return io_status::want_read;
    case SSL_ERROR_WANT_WRITE: return io_status::want_write;
    case SSL_ERROR_ZERO_RETURN: return io_status::closed;
    default: break;
  }
  if (notes_ && !notes_->refusal.empty()) failure_ = fail(errc::unauthorized, "TLS: " + notes_->refusal);
  else if (kind == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    failure_ = fail(errc::unavailable, std::string("connection closed by the peer without notice while ") + doing);
  else if (kind == SSL_ERROR_SSL) failure_ = fail(errc::unauthorized, "TLS: " + tls_error_text());
  else if (saved != 0) failure_ = fail(errc::unavailable, errno_text(saved) + " while " + doing);
  else failure_ = fail(errc::unavailable, std::string("connection closed by the peer without notice while ") + doing);
  ERR_clear_error();
  return io_status::failed;
}

io_status tls_stream::handshake() {
  if (!ssl_) return io_status::failed;
  ERR_clear_error();
  errno = 0;
  auto status = outcome(SSL_do_handshake(ssl_.get()), "shaking hands");
  if (status == io_status::closed) {
    failure_ = fail(errc::unavailable, "connection closed by the peer while shaking hands");
    status = io_status::failed;
  }
  if (status == io_status::failed && notes_->offered) notes_->context->tickets.jar->drop(notes_->context->tickets.key);
  return status;
}

std::optional<subject> tls_stream::refused_client() const { return notes_ ? notes_->refused : std::nullopt; }

io_status tls_stream::read(char* to, std::size_t size, std::size_t& n) {
  n = 0;
  ERR_clear_error();
  errno = 0;
  const bool hoped = hope_ != nullptr;
  const auto status = outcome(SSL_read_ex(ssl_.get(), to, size, &n), "reading");
  // OpenSSL lets go of an empty buffer by itself after data, but not after a ticket.
  if (hoped && !hope_ && status == io_status::want_read) SSL_free_buffers(ssl_.get());
  return status;
}

io_status tls_stream::write(std::string_view bytes, std::size_t& n) {
  n = 0;
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n), "writing");
}

io_status tls_stream::shutdown() {
  ERR_clear_error();
  errno = 0;
  const int rc = SSL_shutdown(ssl_.get());
  return rc >= 0 ? io_status::done : outcome(rc, "closing");
}

result<peer_identity> tls_stream::identity(std::string remote) const {
  peer_identity peer;
  peer.remote_address = std::move(remote);
  peer.resumed = SSL_session_reused(ssl_.get()) == 1;
  if (notes_)
    peer.ca_chain_pem = peer.resumed && notes_->offered ? notes_->offered->pinned_ca_pem : notes_->pinned_ca_pem;
  X509* cert = SSL_get0_peer_certificate(ssl_.get());
  if (cert == nullptr) return peer;
  auto subj = read_subject(X509_get_subject_name(cert));
  if (!subj) return subj.err();
  peer.has_certificate = true;
  peer.subj = std::move(*subj);
  peer.public_key_sha256 = public_key_sha256(cert);
  peer.serial_hex = serial_hex(cert);
  auto begins = read_time(X509_get0_notBefore(cert));
  if (!begins) return begins.err();
  auto ends = read_time(X509_get0_notAfter(cert));
  if (!ends) return ends.err();
  peer.not_before = *begins;
  peer.not_after = *ends;
  return peer;
}

std::string tls_stream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned n = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &n);
  return {reinterpret_cast<const char*>(name), n};
}

void tls_stream::forget_handshake() {
  SSL_set_app_data(ssl_.get(), nullptr);
  // A resumed session gets no new ticket: it goes on with the one it has.
  if (notes_ && notes_->context->tickets.jar && SSL_session_reused(ssl_.get()) == 0) {
    hope_ = std::make_unique<ticket_hope>(ticket_hope{notes_->context->tickets, std::move(notes_->pinned_ca_pem)});
    await_ticket(ssl_.get(), &hope_);
  }
  notes_.reset();
  // The chain is verified and its identity copied. These only hold references and buffers that no record needs.
  SSL_certs_clear(ssl_.get());
}

std::string errno_text(int code) {
  std::string text = std::strerror(code);  // NOLINT(concurrency-mt-unsafe): glibc's is thread safe
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace wh
