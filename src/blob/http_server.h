// Blobs over HTTP, for anyone: what is kept is ciphertext that its owner named by its hash.
//
//   POST /blob                 keeps the body: 201 {"sha256": "…", "size": N}
//   GET  /blob/{sha256}        the content; with `Range: bytes=N-` from there on (206)
//   OPTIONS                    pages of other origins may do both
#pragma once

#include "blob/folder.h"
#include "http/server.h"

namespace cloister::blob {

// `folder` must outlive the handler; used from one thread.
http::Handler serve_folder(Folder& folder);

}  // namespace cloister::blob
