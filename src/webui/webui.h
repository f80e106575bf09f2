// The web page, built from web/ and compiled into the program. Nothing here reads a file.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"

namespace cloister::webui {

// One file of the page. Everything lives as long as the program.
struct Asset {
  std::string_view path;          // as requested, "/index.html"
  std::string_view content_type;  // the whole header value
  std::string_view etag;          // quoted, from the SHA-256 of `identity`
  bool immutable = false;         // the name holds a hash: a browser may keep it for ever
  Bytes identity;
  Bytes gzip;  // the same bytes for clients that accept gzip; empty when it would not be smaller
};

// Every file, sorted by path; empty when built with CLOISTER_UI=OFF.
std::span<const Asset> assets();

// The same of the page that talks to the ledger itself and needs no gateway (web/chain).
std::span<const Asset> chain_assets();

// The file for a request path without its query; "/" is the page itself. Paths match byte for byte,
// so no normalising and no escape from a directory is possible. Null when there is none.
const Asset* find_asset(std::string_view path);
const Asset* find_chain_asset(std::string_view path);

// What every answer that carries an asset must send beside it: `cross-origin-opener-policy` and
// `cross-origin-resource-policy: same-origin`, `referrer-policy: no-referrer`,
// `x-content-type-options: nosniff`, and this as `content-security-policy`.
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'";

}  // namespace cloister::webui
