/* The part of NVML that attestation uses, as a driver exports it. A test sets the variables before it
 * asks; answers stand in buffers that are larger than they, as the driver's do. */
#include <string.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2 };

typedef struct Device* nvmlDevice_t;
typedef struct {
  unsigned isCecAttestationReportPresent, attestationReportSize, cecAttestationReportSize;
  unsigned char nonce[0x20], attestationReport[0x2000], cecAttestationReport[0x1000];
} Report;
typedef struct {
  unsigned certChainSize, attestationCertChainSize;
  unsigned char certChain[0x1000], attestationCertChain[0x1400];
} Certificate;
typedef struct {
  unsigned environment, ccFeature, devToolsMode;
} State;

int fake_initialised = 0;
unsigned fake_count = 1, fake_cc = 1, fake_devtools = 0;
int fake_report_result = SUCCESS;
unsigned fake_report_size = 64, fake_chain_size = 32;
unsigned fake_failing_device = 99;

int nvmlInit_v2(void) {
  ++fake_initialised;
  return SUCCESS;
}
int nvmlShutdown(void) {
  --fake_initialised;
  return SUCCESS;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  if (fake_initialised == 0) return UNINITIALIZED;
  *count = fake_count;
  return SUCCESS;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t* device) {
  if (index >= fake_count) return INVALID_ARGUMENT;
  *device = (nvmlDevice_t)(unsigned long)(index + 1);
  return SUCCESS;
}
int nvmlDeviceGetConfComputeGpuAttestationReport(nvmlDevice_t device, Report* report) {
  const unsigned index = (unsigned)(unsigned long)device - 1;
  if (fake_report_result != SUCCESS || index == fake_failing_device) {
    return fake_report_result != SUCCESS ? fake_report_result : 999;
  }
  memset(report->attestationReport, 0xEE, sizeof report->attestationReport);
  memcpy(report->attestationReport, report->nonce, sizeof report->nonce);
  report->attestationReport[32] = (unsigned char)index;
  report->attestationReportSize = fake_report_size;
  return SUCCESS;
}
int nvmlDeviceGetConfComputeGpuCertificate(nvmlDevice_t device, Certificate* certificate) {
  memset(certificate->attestationCertChain, 'A' + (int)(unsigned long)device, 0x1400);
  certificate->attestationCertChainSize = fake_chain_size;
  return SUCCESS;
}
int nvmlSystemGetConfComputeState(State* state) {
  state->environment = 2;
  state->ccFeature = fake_cc;
  state->devToolsMode = fake_devtools;
  return SUCCESS;
}
