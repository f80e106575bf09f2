#include "evidence/dcap/claims.h"

#include "evidence/dcap/policy.h"

namespace cloister::evidence::dcap {
namespace {

void add_td(const TdReport& td, JsonValue& out) {
  out.set("tcb_svn", to_hex(td.tee_tcb_svn));
  out.set("mrseam", to_hex(td.mr_seam));
  out.set("mrsignerseam", to_hex(td.mr_signer_seam));
  out.set("seam_attributes", to_hex(td.seam_attributes));
  out.set("td_attributes", to_hex(td.td_attributes));
  out.set("xfam", to_hex(td.xfam));
  out.set("mrtd", to_hex(td.mr_td));
  out.set("mrconfigid", to_hex(td.mr_config_id));
  out.set("mrowner", to_hex(td.mr_owner));
  out.set("mrownerconfig", to_hex(td.mr_owner_config));
  for (size_t i = 0; i < td.rtmr.size(); ++i) {
    out.set("rtmr" + std::to_string(i), to_hex(td.rtmr[i]));
  }
  if (!td.v1_5) return;
  out.set("tcb_svn2", to_hex(td.v1_5->tee_tcb_svn_2));
  out.set("mrservicetd", to_hex(td.v1_5->mr_service_td));
}

void add_enclave(const EnclaveReport& enclave, JsonValue& out) {
  out.set("mrenclave", to_hex(enclave.mr_enclave));
  out.set("mrsigner", to_hex(enclave.mr_signer));
  out.set("isv_prod_id", enclave.isv_prod_id);
  out.set("isv_svn", enclave.isv_svn);
  out.set("attributes", to_hex(enclave.attributes));
  out.set("miscselect", to_hex(enclave.misc_select));
  out.set("report_cpusvn", to_hex(enclave.cpu_svn));
}

}  // namespace

JsonValue claims_of(const Inputs& inputs, PckCa ca) {
  const Quote& quote = inputs.quote;
  const PckExtension& platform = inputs.platform->extension;
  JsonValue out = JsonValue::Object{};
  out.set("quote_version", quote.version);
  out.set("fmspc", to_hex(platform.fmspc));
  out.set("pck_ca", std::string(name(ca)));
  out.set("pceid", to_hex(platform.pce_id));
  out.set("pcesvn", platform.pce_svn);
  out.set("cpusvn", to_hex(platform.cpu_svn));
  out.set("tcb_evaluation_number", inputs.tcb_info->evaluation_number);
  if (quote.td() != nullptr) {
    add_td(*quote.td(), out);
  } else {
    add_enclave(*quote.enclave(), out);
  }
  out.set("debug", is_debug(quote));
  out.set("report_data", to_hex(quote.report_data()));
  out.set("trailing_len", quote.trailing_bytes);
  return out;
}

}  // namespace cloister::evidence::dcap
