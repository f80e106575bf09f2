// Intel's quote generation service (QGS): a TDX guest without configfs-tsm sends its TDREPORT to
// the host over vsock and gets a quote back (SGX DCAP, qgs_msg_lib, version 1).
#pragma once

#include <chrono>
#include <functional>

#include "evidence/collect/collect.h"

namespace cloister::evidence::collect {

// Sends a message and returns the answer; both with their 4 bytes of length in front.
using QgsTransport = std::function<Collected<Buffer>(Bytes message)>;
// To the host, port 4050.
QgsTransport qgs_over_vsock(std::chrono::milliseconds deadline = std::chrono::seconds(30));

Buffer qgs_request(Bytes td_report);
// `refused` with the service's code; `bad_answer` for anything that is no answer with one quote.
Collected<Buffer> quote_from_qgs(Bytes answer);

Collected<GuestEvidence> quote_of(Bytes td_report, const QgsTransport& transport);

}  // namespace cloister::evidence::collect
