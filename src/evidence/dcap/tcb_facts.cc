#include "evidence/dcap/tcb_facts.h"

namespace cloister::evidence::dcap {
namespace {

// The one list of members: written by `put`, read by `get`.
template <typename Facts, typename Visit>
void members(Facts& f, Visit visit) {
  visit(f.fmspc);
  visit(f.pce_id);
  visit(f.cpu_svn);
  visit(f.pce_svn);
  visit(f.qe.misc_select);
  visit(f.qe.attributes);
  visit(f.qe.mr_signer);
  visit(f.qe.isv_prod_id);
  visit(f.qe.isv_svn);
}

class Put {
 public:
  void operator()(uint16_t number) { out_.u16_be(number); }
  template <size_t N>
  void operator()(const Fixed<N>& bytes) {
    out_.bytes(bytes);
  }
  void flag(bool set) { out_.u8(set ? 1 : 0); }
  Buffer take() { return out_.take(); }

 private:
  ByteWriter out_;
};

// A member that is not there makes the whole unreadable.
class Get {
 public:
  explicit Get(Bytes bytes) : in_(bytes) {}
  void operator()(uint16_t& number) { keep(in_.u16_be(), number); }
  template <size_t N>
  void operator()(Fixed<N>& bytes) {
    keep(in_.fixed<N>(), bytes);
  }
  bool flag() {
    uint8_t value = 0;
    keep(in_.u8(), value);
    ok_ = ok_ && value <= 1;
    return value == 1;
  }
  bool done() const { return ok_ && in_.done(); }

 private:
  template <typename T>
  void keep(const std::optional<T>& read, T& into) {
    ok_ = ok_ && read.has_value();
    if (read) into = *read;
  }
  ByteReader in_;
  bool ok_ = true;
};

}  // namespace

Buffer TcbFacts::encode() const {
  Put put;
  put.flag(tee == Tee::tdx);
  members(*this, [&](const auto& member) { put(member); });
  put.flag(module.has_value());
  if (!module) return put.take();
  put(module->tee_tcb_svn);
  put(module->mr_signer_seam);
  put(module->seam_attributes);
  put.flag(module->tee_tcb_svn_2.has_value());
  if (module->tee_tcb_svn_2) put(*module->tee_tcb_svn_2);
  return put.take();
}

std::optional<TcbFacts> TcbFacts::decode(Bytes bytes) {
  Get get(bytes);
  TcbFacts out;
  out.tee = get.flag() ? Tee::tdx : Tee::sgx;
  members(out, [&](auto& member) { get(member); });
  if (get.flag()) {
    ModuleFacts& module = out.module.emplace();
    get(module.tee_tcb_svn);
    get(module.mr_signer_seam);
    get(module.seam_attributes);
    if (get.flag()) get(module.tee_tcb_svn_2.emplace());
  }
  if (!get.done() || out.module.has_value() != (out.tee == Tee::tdx)) return std::nullopt;
  return out;
}

TcbFacts facts_of(Tee tee, const Quote& quote, const PckExtension& platform) {
  TcbFacts out;
  out.tee = tee;
  out.fmspc = platform.fmspc;
  out.pce_id = platform.pce_id;
  out.cpu_svn = platform.cpu_svn;
  out.pce_svn = platform.pce_svn;
  const EnclaveReport& qe = quote.qe_report;
  out.qe = {qe.misc_select, qe.attributes, qe.mr_signer, qe.isv_prod_id, qe.isv_svn};
  if (const TdReport* td = quote.td()) {
    out.module = {td->tee_tcb_svn, td->mr_signer_seam, td->seam_attributes, std::nullopt};
    if (td->v1_5) out.module->tee_tcb_svn_2 = td->v1_5->tee_tcb_svn_2;
  }
  return out;
}

}  // namespace cloister::evidence::dcap
