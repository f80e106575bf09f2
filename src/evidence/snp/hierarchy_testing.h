// The simulated hierarchy that the tests of this folder share: making its keys takes seconds.
#pragma once

#include <functional>

#include "evidence/sim/amd.h"
#include "evidence/snp/verify.h"

namespace cloister::evidence {

constexpr UnixSeconds kTestNow = 1'800'000'000;
constexpr UnixSeconds kTestDay = 86'400;
constexpr sim::AmdWindow kTestYear{kTestNow - kTestDay, kTestNow + 365 * kTestDay};
constexpr Fixed<64> kTestReportData = {1, 2, 3};

const sim::AmdSimulator& genoa();
// Authorities of nobody, with names as of Milan.
const sim::AmdAuthority& other_ark();
const sim::AmdAuthority& other_ask();

// A certificate of any content; self-signed when `issuer` is null.
crypto::Certificate issue_any(const std::string& common_name, const crypto::PrivateKey& key,
                              const sim::AmdAuthority* issuer,
                              const std::function<void(crypto::IssueRequest&)>& change);

crypto::PrivateKey copy_of(const crypto::PrivateKey& key);

// A revocation list that names `revoked`.
crypto::Crl crl_of(const sim::AmdAuthority& ark, UnixSeconds from, UnixSeconds until,
                   const std::vector<Buffer>& revoked = {});

}  // namespace cloister::evidence
