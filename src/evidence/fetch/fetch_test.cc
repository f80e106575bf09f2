#include "evidence/fetch/fetch.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/text.h"
#include "evidence/common/cases_testing.h"
#include "evidence/fetch/plan_nvidia.h"
#include "evidence/nvidia/scenario_testing.h"
#include "evidence/verify.h"
#include "http/http_testing.h"
#include "http/tls_testing.h"

namespace cloister::evidence::fetch {
namespace {

using http::Exchange;
using http::Request;
using testing::HasSubstr;

std::string percent_encoded(Bytes text) {
  std::string out;
  for (uint8_t byte : text) out += "%" + to_hex(Bytes(&byte, 1));
  return out;
}

http::Response answer(Bytes body, http::Headers headers = {}) {
  http::Response out = http::make_response(200, "application/octet-stream", as_text(body));
  for (auto& header : headers) out.headers.push_back(std::move(header));
  return out;
}

// A vendor's service: target -> answer. Everything else is 404.
using Answers = std::map<std::string, http::Response>;

class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!found) GTEST_SKIP() << "the vectors are not beside the checkout";
    vectors_ = *found;
    folder_ = std::filesystem::path(testing::TempDir()) / ("fetch-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  Case by_id(std::string_view format, std::string_view id) const {
    for (Case& c : load_cases(vectors_, format)) {
      if (c.id == id) return c;
    }
    throw std::runtime_error("no such case");
  }

  void serve(Answers answers) {
    const http::Handler handler = [answers = std::move(answers)](
                                      const Request& request,
                                      Exchange& exchange) -> http::asio::awaitable<void> {
      const std::string target = request.path + (request.query.empty() ? "" : "?" + request.query);
      const auto found = answers.find(target);
      http::Response response = found == answers.end()
                                    ? http::make_response(404, "text/plain", "no such object")
                                    : found->second;
      co_await exchange.send(std::move(response));
    };
    serve(handler);
  }

  void serve(http::Handler handler) {
    server_ = std::make_unique<http::TlsTestServer>(
        context_.executor(), std::move(handler),
        http::TlsServerIdentity{
            .names = {std::string(kIntelHost), std::string(kIntelCertificatesHost),
                      std::string(kAmdHost), "pccs.example", std::string(kNvidiaRimHost),
                      std::string(kNvidiaOcspHost)}});
  }

  FetchOptions options() {
    const auto pem = folder_ / "authority.pem";
    std::ofstream(pem) << server_->authority_pem();
    FetchOptions out{.roots = http::TlsRoots::from_file(pem).value(), .via = {}};
    for (const char* host : {kIntelHost.data(), kIntelCertificatesHost.data(), kAmdHost.data(),
                             "pccs.example", kNvidiaRimHost.data(), kNvidiaOcspHost.data()}) {
      out.via[host] = {"127.0.0.1", server_->port()};
    }
    return out;
  }

  std::expected<std::vector<File>, FetchFault> fetch(const std::vector<Wanted>& wanted) {
    return context_.await(fetch_all(wanted, options()));
  }

  FetchError error_of(const std::expected<std::vector<File>, FetchFault>& got) {
    EXPECT_FALSE(got);
    return got ? FetchError{} : got.error().error;
  }

  static Answers intel(const Case& c, bool pccs) {
    const auto& files = c.collateral;
    const std::string signers = percent_encoded(files.at("tcb_sign_chain"));
    const auto list = [&](const char* role) {
      const Buffer& der = files.at(role);
      return pccs ? to_buffer(as_bytes(to_hex(der) + "\n")) : der;
    };
    return {
        {"/tdx/certification/v4/tcb?fmspc=b0c06f000000",
         answer(files.at("tcb_info"), {{"TCB-Info-Issuer-Chain", signers}})},
        {"/tdx/certification/v4/qe/identity",
         answer(files.at("qe_identity"), {{"SGX-Enclave-Identity-Issuer-Chain", signers}})},
        {"/sgx/certification/v4/pckcrl?ca=platform&encoding=der", answer(list("pck_crl"))},
        {pccs ? "/sgx/certification/v4/rootcacrl" : "/IntelSGXRootCA.der",
         answer(list("root_crl"))},
    };
  }

  std::filesystem::path vectors_, folder_;
  http::TestContext context_;
  std::unique_ptr<http::TlsTestServer> server_;
};

Collateral gathered(const std::vector<File>& files) {
  Collateral out;
  for (const File& file : files) EXPECT_TRUE(out.add(file.content)) << file.name;
  return out;
}

TEST_F(Fetch, WhatIntelGivesForAQuoteVerifiesIt) {
  const Case c = by_id("tdx-quote", "tdx4-b0c06f-good");
  for (const bool pccs : {false, true}) {
    serve(intel(c, pccs));
    PlanOptions asked;
    if (pccs) asked.pccs = "pccs.example:8081";
    const Evidence evidence{Format::tdx_quote, c.evidence};
    const auto wanted = plan(evidence, asked);
    ASSERT_TRUE(wanted);
    const auto files = fetch(*wanted);
    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_EQ(files->size(), 6u);
    EXPECT_TRUE(
        verify(evidence, gathered(*files), c.policy, Binding::not_compared(), c.time).verified);
  }
}

TEST_F(Fetch, WhatAmdGivesForAReportVerifiesIt) {
  const Case c = by_id("snp-report", "snp3-genoa");
  const Evidence evidence{Format::snp_report, c.evidence};
  const auto wanted = plan(evidence, {});
  ASSERT_TRUE(wanted);
  ASSERT_EQ(wanted->size(), 3u);
  EXPECT_THAT(
      (*wanted)[0].target,
      HasSubstr("/vcek/v1/Genoa/" + to_hex(Bytes(c.evidence).subspan(0x1A0, 64)) + "?blSPL="));
  serve(Answers{{(*wanted)[0].target, answer(c.collateral.at("vcek"))},
                {"/vcek/v1/Genoa/cert_chain", answer(c.collateral.at("cert_chain"))},
                {"/vcek/v1/Genoa/crl", answer(c.collateral.at("crl"))}});
  const auto files = fetch(*wanted);
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_TRUE(
      verify(evidence, gathered(*files), c.policy, Binding::not_compared(), c.time).verified);
}

TEST_F(Fetch, AVersion2ReportNeedsItsProductLineFromTheCaller) {
  const Case c = by_id("snp-report", "snp2-milan-good");
  const Evidence evidence{Format::snp_report, c.evidence};
  ASSERT_FALSE(plan(evidence, {}));
  EXPECT_EQ(plan(evidence, {}).error().error, FetchError::product_unknown);
  EXPECT_EQ(plan(evidence, {.product = "Rome", .pccs = {}, .device_chain = {}}).error().error,
            FetchError::product_unknown);
  EXPECT_TRUE(plan(evidence, {.product = "Milan", .pccs = {}, .device_chain = {}}));
}

TEST_F(Fetch, EvidenceThatSaysNothingIsNotAskedFor) {
  const Evidence junk{Format::tdx_quote, Buffer(100)};
  EXPECT_EQ(plan(junk, {}).error().error, FetchError::bad_evidence);
  EXPECT_EQ(plan({Format::snp_report, Buffer(100)}, {}).error().error, FetchError::bad_evidence);
  EXPECT_EQ(plan({Format::nitro, Buffer(100)}, {}).error().error, FetchError::nothing_to_fetch);
}

TEST_F(Fetch, EachHostileAnswerHasItsOwnError) {
  const Case c = by_id("tdx-quote", "tdx4-b0c06f-good");
  const auto wanted = plan({Format::tdx_quote, c.evidence}, {}).value();
  const std::string first = wanted[0].target;
  const std::string signers = percent_encoded(c.collateral.at("tcb_sign_chain"));
  const Buffer& tcb_info = c.collateral.at("tcb_info");

  http::Response moved = http::make_response(302, "text/plain", "");
  moved.headers.push_back({"Location", "https://elsewhere.example/"});
  http::Response busy = http::make_response(429, "text/plain", "");
  struct Row {
    const char* name;
    http::Response response;
    FetchError want;
  };
  const Row rows[] = {
      {"nearest good one, but for the next object",
       answer(tcb_info, {{"TCB-Info-Issuer-Chain", signers}}), FetchError::not_found},
      {"no such object", http::make_response(404, "text/plain", ""), FetchError::not_found},
      {"redirect", moved, FetchError::refused_by_service},
      {"too many requests", busy, FetchError::refused_by_service},
      {"empty", answer({}, {{"TCB-Info-Issuer-Chain", signers}}), FetchError::bad_answer},
      {"HTML", answer(as_bytes("<html>"), {{"TCB-Info-Issuer-Chain", signers}}),
       FetchError::bad_answer},
      {"cut", answer(Bytes(tcb_info).first(1000), {{"TCB-Info-Issuer-Chain", signers}}),
       FetchError::bad_answer},
      {"another object", answer(c.collateral.at("pck_crl"), {{"TCB-Info-Issuer-Chain", signers}}),
       FetchError::bad_answer},
      {"no signers", answer(tcb_info), FetchError::bad_answer},
      {"signers not certificates", answer(tcb_info, {{"TCB-Info-Issuer-Chain", "abc"}}),
       FetchError::bad_answer},
      {"signers cut in an escape", answer(tcb_info, {{"TCB-Info-Issuer-Chain", signers + "%2"}}),
       FetchError::bad_answer},
      {"signers with a control character",
       answer(tcb_info, {{"TCB-Info-Issuer-Chain", "%00" + signers}}), FetchError::bad_answer},
      {"compressed",
       answer(tcb_info, {{"Content-Encoding", "gzip"}, {"TCB-Info-Issuer-Chain", signers}}),
       FetchError::bad_answer},
      {"too large", answer(Buffer(kMaxCollateralFileBytes + 1)), FetchError::too_large},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    serve(Answers{{first, row.response}});
    EXPECT_EQ(error_of(fetch(wanted)), row.want);
  }
}

TEST_F(Fetch, AServiceThatNeverAnswersIsGivenUp) {
  const Case c = by_id("tdx-quote", "tdx4-b0c06f-good");
  const auto wanted = plan({Format::tdx_quote, c.evidence}, {}).value();
  http::asio::io_context io;
  http::asio::ip::tcp::acceptor silent(io, {http::asio::ip::address_v4::loopback(), 0});
  serve(Answers{});
  FetchOptions patient = options();
  patient.timeout = http::Millis(100);
  patient.via[std::string(kIntelHost)] = {"127.0.0.1", silent.local_endpoint().port()};
  EXPECT_EQ(error_of(context_.await(fetch_all(wanted, patient))), FetchError::deadline);
}

TEST_F(Fetch, ACertificateForAnotherNameEndsItBeforeAnythingIsAsked) {
  const Case c = by_id("tdx-quote", "tdx4-b0c06f-good");
  serve(Answers{});
  FetchOptions wrong = options();
  wrong.via["other.example"] = {"127.0.0.1", server_->port()};
  const auto wanted =
      plan({Format::tdx_quote, c.evidence}, {.product = {}, .pccs = "other.example"}).value();
  const auto got = context_.await(fetch_all(wanted, wrong));
  EXPECT_EQ(error_of(got), FetchError::unreachable);
  EXPECT_THAT(got.error().detail, HasSubstr("certificate"));
}

TEST_F(Fetch, APccsIsAHostAndPerhapsAPort) {
  const Case c = by_id("tdx-quote", "tdx4-b0c06f-good");
  serve(Answers{});
  for (const char* bad : {"", ":8081", "host:", "host:0", "host:65536", "host:a", "host:123456"}) {
    const auto wanted = plan({Format::tdx_quote, c.evidence}, {.product = {}, .pccs = bad}).value();
    EXPECT_EQ(error_of(fetch(wanted)), FetchError::host_refused) << bad;
  }
}

TEST_F(Fetch, AFolderIsWrittenWholeOrNotAtAll) {
  const std::vector<File> files = {{"a", {1, 2}}, {"b", {3}}};
  const auto target = folder_ / "collateral";
  ASSERT_TRUE(write_folder(target, files));
  EXPECT_EQ(evidence::read_file(target / "a"), (Buffer{1, 2}));
  EXPECT_EQ(evidence::read_file(target / "b"), (Buffer{3}));
  EXPECT_EQ(write_folder(target, files).error().error, FetchError::folder_not_writable);

  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_TRUE(write_folder(folder_ / "empty", files));

  const std::vector<File> unwritable = {{"a", {1}}, {"no/such/folder", {2}}};
  EXPECT_EQ(write_folder(folder_ / "other", unwritable).error().error,
            FetchError::folder_not_writable);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr(".part-")));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other"));
}

TEST(Names, EveryFetchErrorHasAWordAndASentence) {
  std::set<std::string_view> words;
  for (int i = 1; i <= static_cast<int>(FetchError::folder_not_writable); ++i) {
    words.insert(name(static_cast<FetchError>(i)));
    EXPECT_TRUE(describe(static_cast<FetchError>(i)).ends_with('.'));
  }
  EXPECT_EQ(words.size(), 11u);
}

TEST_F(Fetch, ARecordedGpuSaysWhatItsManifestsAreCalled) {
  const Case c = by_id("nvidia-gpu", "gpu-h100-535-vbios-match");
  const auto chain =
      crypto::certificates_from_pem(as_text(c.collateral.at("device_chain")), 8).value();
  const auto wanted =
      plan({c.kind(), c.evidence}, {.product = {}, .pccs = {}, .device_chain = chain});
  ASSERT_TRUE(wanted) << wanted.error().detail;
  ASSERT_EQ(wanted->size(), 5u);
  EXPECT_EQ((*wanted)[0].target, "/v1/rim/NV_GPU_DRIVER_GH100_535.86.09");
  EXPECT_EQ((*wanted)[1].target, "/v1/rim/NV_GPU_VBIOS_1010_0200_882_96005E0001");
  EXPECT_FALSE((*wanted)[2].body.empty());
  EXPECT_EQ(plan({c.kind(), c.evidence}, {}).error().error, FetchError::bad_evidence);
  const Case fabric = by_id("nvidia-switch", "switch-ls10-norim");
  const auto bios = plan({fabric.kind(), fabric.evidence},
                         {.product = {},
                          .pccs = {},
                          .device_chain = crypto::certificates_from_pem(
                                              as_text(fabric.collateral.at("device_chain")), 8)
                                              .value()});
  ASSERT_TRUE(bios);
  EXPECT_EQ((*bios)[0].target, "/v1/rim/NV_SWITCH_BIOS_5612_0002_890_9610550001");
}

// NVIDIA's services under a test hierarchy, and a device that verifies with nothing but what they
// answered.
class FetchNvidia : public Fetch {
 protected:
  static std::string rim_answer(const std::string& document) {
    return JsonValue::object({{"id", "x"},
                              {"rim", to_base64(as_bytes(document))},
                              {"sha256", to_hex(crypto::sha256(as_bytes(document)))}})
        .dump();
  }
  void answer_about(std::span<const crypto::Certificate> chain) {
    const crypto::OcspAnswer good{crypto::OcspStatus::good, nvidia::kNow - 1,
                                  nvidia::kNow + nvidia::kHour};
    for (size_t i = 0; i + 1 < chain.size(); ++i) {
      answers_[crypto::make_ocsp_request(chain[i], chain[i + 1])] =
          rim::ocsp_about(chain.subspan(i, 2), good, rim::hierarchy().responder);
    }
  }
  void serve_all() {
    serve([this](const Request& request, Exchange& exchange) -> http::asio::awaitable<void> {
      http::Response response = http::make_response(404, "text/plain", "");
      const auto manifest = manifests_.find(request.path);
      const auto about = answers_.find(to_buffer(request.body));
      if (request.method == "GET" && manifest != manifests_.end()) {
        response = http::make_response(200, "application/json", manifest->second);
      } else if (request.method == "POST" && about != answers_.end() &&
                 request.header("Content-Type") == "application/ocsp-request") {
        response = answer(about->second);
      }
      co_await exchange.send(std::move(response));
    });
  }

  nvidia::Scenario device_;
  std::map<std::string, std::string> manifests_;
  std::map<Buffer, Buffer> answers_;
};

TEST_F(FetchNvidia, ADeviceVerifiesWithWhatTwoRoundsBrought) {
  const std::string driver = device_.driver.document(), vbios = device_.vbios.document();
  manifests_ = {{"/v1/rim/NV_GPU_DRIVER_GH100_550.90.07", rim_answer(driver)},
                {"/v1/rim/NV_GPU_VBIOS_G520_0200_885_9674001C00", rim_answer(vbios)}};
  answer_about(std::span(device_.chain).subspan(1));
  answer_about(device_.driver.chain);
  answer_about(device_.vbios.chain);
  serve_all();
  const Evidence evidence{Format::nvidia_gpu, device_.report()};
  const auto wanted = plan(evidence, {.product = {}, .pccs = {}, .device_chain = device_.chain});
  ASSERT_TRUE(wanted) << wanted.error().detail;
  auto files = fetch(*wanted);
  ASSERT_TRUE(files) << files.error().detail;
  const auto more = plan_manifest_revocation({driver, vbios});
  ASSERT_TRUE(more);
  EXPECT_EQ(more->size(), 6u);
  const auto second = fetch(*more);
  ASSERT_TRUE(second) << second.error().detail;
  files->insert(files->end(), second->begin(), second->end());
  Collateral collateral = gathered(*files);
  collateral.certificates = device_.chain;
  const auto judged = verify(evidence, collateral, device_.policy, device_.binding, device_.now);
  EXPECT_TRUE(judged.verified) << judged.appraisal.detail;
}

TEST_F(FetchNvidia, AnswersThatAreNoneAreRefused) {
  const Wanted manifest{
      "rim.xml", std::string(kNvidiaRimHost), "/v1/rim/x", AnswerForm::manifest, "", ""};
  const std::string document = device_.vbios.document();
  std::string other_hash = rim_answer(document);
  other_hash[other_hash.find("sha256") + 12] ^= 1;
  for (const std::string& body :
       {std::string("{}"), std::string("<SoftwareIdentity/>"), std::string(R"({"rim":"!"})"),
        std::string(R"({"rim":"AAAA"})"), other_hash}) {
    manifests_ = {{"/v1/rim/x", body}};
    serve_all();
    EXPECT_EQ(error_of(fetch({manifest})), FetchError::bad_answer) << body.substr(0, 40);
  }
  manifests_.clear();
  serve_all();
  EXPECT_EQ(error_of(fetch({manifest})), FetchError::not_found);
}

TEST_F(FetchNvidia, IdsThatWouldChangeTheAddressAreRefused) {
  for (const char* version : {"550/../x", "550?x", "550%2f", "550#"}) {
    nvidia::field(device_.opaque, 3) = to_buffer(as_bytes(version));
    const auto wanted = plan({Format::nvidia_gpu, device_.report()},
                             {.product = {}, .pccs = {}, .device_chain = device_.chain});
    ASSERT_FALSE(wanted) << version;
    EXPECT_EQ(wanted.error().error, FetchError::bad_evidence);
  }
}

}  // namespace
}  // namespace cloister::evidence::fetch
