/* Verification of attestation evidence, for any language: Intel TDX and SGX quotes, AMD SEV-SNP
 * reports, NVIDIA GPUs, switches and reference manifests, TPM 2.0 quotes, AWS Nitro documents, Arm
 * CCA tokens.
 *
 * Offline and pure: nothing here opens a file or a socket, reads a clock or keeps a log. Strict:
 * what is absent, old, unknown or not allowed is refused. The caller still compares measurements
 * with values that it knows.
 *
 * The interface is stable within CLOISTER_ABI_VERSION. Functions never throw and never abort on
 * input; strings are UTF-8, end with a zero byte and belong to the object that returned them.
 */
#ifndef CLOISTER_CLOISTER_H
#define CLOISTER_CLOISTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLOISTER_ABI_VERSION 1u

#if defined(__GNUC__)
#define CLOISTER_API __attribute__((visibility("default")))
#define CLOISTER_MUST_USE __attribute__((warn_unused_result))
#else
#define CLOISTER_API
#define CLOISTER_MUST_USE
#endif

/* What the library was built with; compare with CLOISTER_ABI_VERSION before anything else. */
CLOISTER_API uint32_t cloister_abi_version(void);
/* "0.1.0" */
CLOISTER_API const char* cloister_version(void);

/* Whether a call could be carried out. It never says whether evidence is good: a report does. */
typedef enum cloister_result {
  CLOISTER_OK = 0,
  CLOISTER_BAD_ARGUMENT = 1,   /* a null pointer, no binding said */
  CLOISTER_NOT_COLLATERAL = 2, /* not a file of a known kind, or more than 64 objects */
  CLOISTER_UNKNOWN_NAME = 3,   /* a format, permission or requirement that does not exist */
  CLOISTER_NO_MEMORY = 4,
  CLOISTER_INTERNAL = 5 /* a fault of the library */
} cloister_result;
CLOISTER_API const char* cloister_describe(cloister_result result);

/* Collateral and policy. Set up by one thread; afterwards any number may verify with it. */
typedef struct cloister_verifier cloister_verifier;

/* Trusts the real vendors' roots, compiled in, and allows nothing beyond the strict default. */
CLOISTER_API CLOISTER_MUST_USE cloister_result cloister_verifier_new(cloister_verifier** out);
CLOISTER_API void cloister_verifier_free(cloister_verifier* verifier); /* null: nothing */

/* One file that a vendor signed: JSON of Intel, certificates (PEM, DER), CRL, OCSP response, RIM,
 * or an attestation key (PEM, JWK) that the caller vouches for. What it is, is found by its
 * content. */
CLOISTER_API CLOISTER_MUST_USE cloister_result
cloister_verifier_add_collateral(cloister_verifier* verifier, const uint8_t* file, size_t size);

/* "debug", "out_of_date", "service_td", "perfmon", "no_sept_ve_disable", "no_revocation",
 * "migration", "no_rim". */
CLOISTER_API CLOISTER_MUST_USE cloister_result cloister_verifier_allow(cloister_verifier* verifier,
                                                                       const char* permission);

/* Demands more than the default. Names and values:
 *   "min_tcb_evaluation_number"  decimal; Intel
 *   "distrusted_product"         an AMD product line, "Milan"; may be given several times
 *   "denied_advisory"            "INTEL-SA-00837"; may be given several times
 *   "max_nitro_age_s"            decimal seconds
 *   "min_nvidia_driver", "min_nvidia_vbios"  a version
 *   "snp_policy_set", "snp_policy_clear", "snp_platform_set", "snp_platform_clear",
 *   "snp_mitigations"            bits of the SEV-SNP report, decimal or after 0x
 *   "snp_max_vmpl"               0 to 3
 *   "snp_min_abi"                "1.55"
 *   "snp_min_committed_firmware" "1.55.30"
 *   "snp_cloud_provider"         of a VLEK; may be given several times
 *   "snp_id_key_digest", "snp_author_key_digest"  96 hexadecimal digits; several times */
CLOISTER_API CLOISTER_MUST_USE cloister_result
cloister_verifier_require(cloister_verifier* verifier, const char* requirement, const char* value);

/* PEM certificate of a simulated vendor. Evidence below it says "no hardware protection". */
CLOISTER_API CLOISTER_MUST_USE cloister_result cloister_verifier_add_development_root(
    cloister_verifier* verifier, const uint8_t* pem, size_t size);

/* What the evidence must carry. There is no verification without saying it: a caller who only looks
 * at evidence of others sets `not_compared` to 1 and leaves both pointers null. */
typedef struct cloister_binding {
  const uint8_t* report_data; /* REPORTDATA, 64 bytes; Nitro: user_data; null: not expected */
  size_t report_data_size;
  const uint8_t* nonce; /* the challenge: NVIDIA, TPM, Nitro, CCA; null: not expected */
  size_t nonce_size;
  int32_t not_compared;
} cloister_binding;

typedef struct cloister_report cloister_report;

/* Judges `evidence` of `format` ("tdx-quote", "sgx-quote", "snp-report", "nvidia-gpu",
 * "nvidia-switch", "nvidia-rim", "tpm-quote", "nitro", "cca-token") at `unix_seconds`. `*out` is
 * set exactly when CLOISTER_OK is returned; free it with cloister_report_free. */
CLOISTER_API CLOISTER_MUST_USE cloister_result cloister_verify(
    const cloister_verifier* verifier, const char* format, const uint8_t* evidence, size_t size,
    const cloister_binding* binding, int64_t unix_seconds, cloister_report** out);

/* Neither value is zero or one, so that a verdict is not mistaken for a truth value. */
typedef enum cloister_verdict { CLOISTER_ACCEPTED = 2, CLOISTER_REJECTED = 3 } cloister_verdict;

CLOISTER_API cloister_verdict cloister_report_verdict(const cloister_report* report);
/* The class of the refusal, "bad_signature"; null when accepted. */
CLOISTER_API const char* cloister_report_error(const cloister_report* report);
CLOISTER_API const char* cloister_report_detail(const cloister_report* report);
/* "UpToDate"; null when it was not established. */
CLOISTER_API const char* cloister_report_status(const cloister_report* report);
/* "no hardware protection" for evidence of a simulated TEE, else null. */
CLOISTER_API const char* cloister_report_development(const cloister_report* report);
/* A claim that is text, such as "measurement" or "mrtd" in hex; null when accepted evidence has
 * none of this name, and always when the evidence was rejected. */
CLOISTER_API const char* cloister_report_claim(const cloister_report* report, const char* name);
/* Everything, also what was established before a refusal: {"format", "verdict", "error", "detail",
 * "status", "advisories", "claims", "checks"}. */
CLOISTER_API const char* cloister_report_json(const cloister_report* report);
CLOISTER_API void cloister_report_free(cloister_report* report); /* null: nothing */

#ifdef __cplusplus
}
#endif

#endif
