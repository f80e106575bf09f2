#include "evidence/dcap/claims.h"

namespace cloister::evidence::dcap {

JsonValue claims_of(const Inputs& inputs, PckCa ca) {
  const TdReport& td = inputs.quote.td;
  const PckExtension& platform = inputs.platform;
  JsonValue out = JsonValue::Object{};
  out.set("fmspc", to_hex(platform.fmspc));
  out.set("pck_ca", std::string(name(ca)));
  out.set("pceid", to_hex(platform.pce_id));
  out.set("pcesvn", platform.pce_svn);
  out.set("cpusvn", to_hex(platform.cpu_svn));
  out.set("tcb_evaluation_number", inputs.tcb_info.evaluation_number);
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
  out.set("report_data", to_hex(td.report_data));
  if (td.v1_5) {
    out.set("tcb_svn2", to_hex(td.v1_5->tee_tcb_svn_2));
    out.set("mrservicetd", to_hex(td.v1_5->mr_service_td));
  }
  out.set("trailing_len", inputs.quote.trailing_bytes);
  return out;
}

}  // namespace cloister::evidence::dcap
