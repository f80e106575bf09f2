// One prompt over a ready session: sent through its attested connection, and answered on it.
#pragma once

#include "gateway/ready_session.h"
#include "gateway/sealed_chat.h"

namespace cloister::gateway {

// After an error the session's connection must not be used again.
boost::asio::awaitable<std::expected<ExchangeResult, ExchangeError>> exchange(
    ReadySession& session, const ChatRequest& chat, const OnPiece& on_piece, const Clock& clock,
    Random& random);

}  // namespace cloister::gateway
