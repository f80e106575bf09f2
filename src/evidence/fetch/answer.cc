#include "evidence/fetch/answer.h"

#include "base/text.h"
#include "crypto/hash.h"

namespace cloister::evidence::fetch {
namespace {

std::unexpected<FetchFault> bad(const Wanted& wanted, std::string_view why) {
  return std::unexpected(FetchFault{
      FetchError::bad_answer, wanted.file + " from " + wanted.host + ": " + std::string(why)});
}

// The one object that the file is, by the same sorting that the verifier does.
std::optional<Collateral> sorted(Bytes content) {
  Collateral out;
  if (!out.add(content)) return std::nullopt;
  return out;
}

bool is_of_form(const Wanted& wanted, Bytes content) {
  const auto found = sorted(content);
  if (!found) return false;
  switch (wanted.form) {
    case AnswerForm::signed_json:
      return found->tcb_infos.size() + found->qe_identities.size() == 1;
    case AnswerForm::crl:
      return found->crls.size() == 1;
    case AnswerForm::certificate:
      return found->certificates.size() == 1;
    case AnswerForm::pem_chain:
      return !found->certificates.empty();
    case AnswerForm::manifest:
      return found->rims.size() == 1;
    case AnswerForm::ocsp:
      return found->ocsp_responses.size() == 1;
  }
  std::abort();
}

// {"id", "rim": base64, "sha256"?: hex}. Empty when it is not of this form, or the hash is another.
Buffer manifest_in(Bytes body) {
  const auto json = parse_json(as_text(body));
  const auto text = json ? (*json)["rim"].string() : std::nullopt;
  auto document = text ? from_base64(*text) : std::nullopt;
  if (!document) return {};
  const auto hash = (*json)["sha256"].string();
  if (hash && fixed_from_hex<32>(*hash) != crypto::sha256(*document)) return {};
  return std::move(*document);
}

// A PCCS gives lists in hexadecimal digits.
Buffer content_of(const Wanted& wanted, Bytes body) {
  if (wanted.form == AnswerForm::crl) {
    std::string_view text = as_text(body);
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (auto der = from_hex(text); der && !der->empty()) return *der;
  }
  if (wanted.form == AnswerForm::manifest) return manifest_in(body);
  return to_buffer(body);
}

std::expected<File, FetchFault> signers_of(const Wanted& wanted, const http::Response& response) {
  std::string_view field = response.header(wanted.chain_header);
  // Older services prefix the field's name.
  if (field.empty()) field = response.header("SGX-" + wanted.chain_header);
  if (field.empty()) return bad(wanted, "no field " + wanted.chain_header);
  const auto pem = percent_decoded(field);
  const auto found = pem ? sorted(as_bytes(*pem)) : std::nullopt;
  if (!found || found->certificates.empty()) {
    return bad(wanted, "field " + wanted.chain_header + " holds no certificates");
  }
  return File{wanted.chain_file, to_buffer(as_bytes(*pem))};
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte || byte->size() != 1) return std::nullopt;
      c = static_cast<char>((*byte)[0]);
      i += 2;
    }
    if (static_cast<uint8_t>(c) < 0x20 && c != '\n') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

std::expected<std::vector<File>, FetchFault> files_of(const Wanted& wanted,
                                                      const http::Response& response) {
  if (!response.header("Content-Encoding").empty()) return bad(wanted, "the answer is encoded");
  Buffer content = content_of(wanted, response.body);
  if (!is_of_form(wanted, content)) return bad(wanted, "the answer has another form");
  std::vector<File> out;
  out.push_back({wanted.file, std::move(content)});
  if (wanted.form != AnswerForm::signed_json) return out;
  auto signers = signers_of(wanted, response);
  if (!signers) return std::unexpected(signers.error());
  out.push_back(std::move(*signers));
  return out;
}

}  // namespace cloister::evidence::fetch
