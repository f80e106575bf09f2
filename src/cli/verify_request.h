// The arguments of `cloister verify`, read and checked before anything is judged.
#pragma once

#include <expected>

#include "evidence/common/evidence.h"

namespace cloister::cli {

struct VerifyOptions {
  std::string evidence;
  std::string format;
  std::vector<std::string> collateral;
  UnixSeconds time = 0;
  std::optional<std::string> report_data;  // given and empty is a mistake, not an absence
  std::optional<std::string> nonce;
  std::vector<std::string> allow;
  std::vector<std::string> development_roots;
  bool json = false;
  std::optional<std::string> ear_key;  // a file
};

struct NamedFile {
  std::string path;
  Buffer content;
};

struct VerifyRequest {
  std::optional<evidence::Format> format;  // nothing: a bundle
  Buffer bytes;
  std::vector<NamedFile> collateral;
  evidence::VerifyPolicy policy;
  evidence::Binding binding = evidence::Binding::not_compared();
  UnixSeconds time = 0;
  std::optional<crypto::PrivateKey> ear_key;
};

// Anything that keeps the arguments from being used, in words.
std::expected<VerifyRequest, std::string> request_from(const VerifyOptions& options);

std::vector<std::string> format_names();
std::vector<std::string> permission_names();

}  // namespace cloister::cli
