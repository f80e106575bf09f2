// An answer of a collateral service, made into files. Answers are hostile until their signatures
// are judged; here only their shape is.
#pragma once

#include "evidence/fetch/plan.h"
#include "http/message.h"

namespace cloister::evidence::fetch {

struct File {
  std::string name;
  Buffer content;
};

// The files of a 200 answer to `wanted`: the object and, for Intel's JSON, its signers. bad_answer
// when the body is not of the form, is encoded, or is nothing that a verifier takes; or when the
// field with the signers is absent, given in other than percent-encoded PEM, or holds anything
// else.
std::expected<std::vector<File>, FetchFault> files_of(const Wanted& wanted,
                                                      const http::Response& response);

// The text behind %XX (RFC 3986, 2.1). Nothing when an escape is cut or not hexadecimal, or the
// result holds a control character other than line feeds.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace cloister::evidence::fetch
