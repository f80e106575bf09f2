// Times of verification. For each line on standard input, one of the names below, prints
// microseconds a piece and allocations a piece.
//   bench_evidence VECTORS
//
//   tdx-warm    a TDX quote against collateral and a PCK chain that were seen before
//   tdx-cold    the same from files: collateral parsed and every signature verified
//   ecdsa       the two ECDSA verifications that no warm verification can do without
//   snp, nvidia an SEV-SNP report; a GPU report with one reference manifest; from files
//   nitro       a document, which brings its chain along
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <new>

#include "evidence/common/cases_testing.h"
#include "evidence/dcap/quote.h"
#include "evidence/verifier.h"
#include "evidence/verify.h"

namespace {

size_t allocations = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace cloister;
using namespace cloister::evidence;

constexpr int kPieces = 200;

Case case_of(const std::filesystem::path& vectors, std::string_view id) {
  for (Case& each : load_cases(vectors, "")) {
    if (each.id == id) return std::move(each);
  }
  throw std::runtime_error("no such case");
}

void must(bool held) {
  if (!held) throw std::runtime_error("a verification that must hold does not");
}

void time(const std::function<void()>& piece) {
  for (int i = 0; i < 10; ++i) piece();
  const size_t before = allocations;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kPieces; ++i) piece();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  fmt::print("{:.2f} {}\n", took.count() / kPieces, (allocations - before) / kPieces);
  std::fflush(stdout);
}

std::function<void()> from_files(const Case& c) {
  return [&c] {
    Collateral collateral;
    for (const auto& [role, file] : c.collateral) must(collateral.add(file));
    must(verify({c.kind(), c.evidence}, collateral, c.policy, c.binding(), c.time)
             .verified.has_value());
  };
}

// The quote's signature by its attestation key, and the QE report's by the PCK leaf: the same
// bytes, the same functions of crypto.
std::function<void()> ecdsa_of(const Case& c) {
  const auto quote = dcap::parse_quote(c.evidence, dcap::Tee::tdx);
  must(quote.has_value());
  const auto chain = crypto::certificates_from_pem(as_text(quote->pck_chain_pem), 3);
  must(chain.has_value());
  return [quote = *quote, leaf = chain->front()] {
    must(crypto::verify_ecdsa(crypto::Curve::p256, quote.attestation_key, quote.signed_part,
                              quote.signature));
    must(leaf.signed_message(quote.qe_report_bytes, quote.qe_report_signature));
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path vectors = argv[1];
  const Case tdx = case_of(vectors, "tdx4-b0c06f-good"), snp = case_of(vectors, "snp2-milan-good"),
             gpu = case_of(vectors, "gpu-h100-535-vbios-match"),
             nitro = case_of(vectors, "nitro-good");
  const Verifier warm(*tdx.gathered(), tdx.policy);
  const std::map<std::string, std::function<void()>> pieces = {
      {"tdx-warm",
       [&] {
         must(warm.verify({Format::tdx_quote, tdx.evidence}, tdx.binding(), tdx.time)
                  .verified.has_value());
       }},
      {"tdx-cold", from_files(tdx)},
      {"ecdsa", ecdsa_of(tdx)},
      {"snp", from_files(snp)},
      {"nvidia", from_files(gpu)},
      {"nitro", from_files(nitro)},
  };
  for (std::string line; std::getline(std::cin, line);) {
    const auto piece = pieces.find(line);
    if (piece == pieces.end()) return 2;
    time(piece->second);
  }
  return 0;
}
