/* Verifies one piece of evidence.
 *   verify FORMAT EVIDENCE UNIX_SECONDS COLLATERAL...
 * Prints the verdict; exit status 0: accepted, 1: rejected, 2: unusable arguments.
 *
 * A program of yours expects something: fill in report_data or nonce instead of not_compared. */
#include <cloister/cloister.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FILE = 256 * 1024 };

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(MAX_FILE);
  if (file != NULL && data != NULL) {
    *size = fread(data, 1, MAX_FILE, file);
    if (ferror(file) == 0 && feof(file) != 0) {
      fclose(file);
      return data;
    }
  }
  if (file != NULL) fclose(file);
  free(data);
  fprintf(stderr, "%s: cannot be read\n", path);
  return NULL;
}

static int unusable(cloister_result result) {
  fprintf(stderr, "%s\n", cloister_describe(result));
  return 2;
}

static cloister_result add_all(cloister_verifier *verifier, int count, char **paths) {
  for (int i = 0; i < count; ++i) {
    size_t size = 0;
    uint8_t *file = read_file(paths[i], &size);
    if (file == NULL) return CLOISTER_BAD_ARGUMENT;
    const cloister_result result = cloister_verifier_add_collateral(verifier, file, size);
    free(file);
    if (result != CLOISTER_OK) return result;
  }
  return CLOISTER_OK;
}

static int print(const cloister_report *report) {
  const int accepted = cloister_report_verdict(report) == CLOISTER_ACCEPTED;
  if (cloister_report_development(report) != NULL) {
    printf("development: %s\n", cloister_report_development(report));
  }
  if (accepted) {
    printf("accepted, status %s\n", cloister_report_status(report));
  } else {
    printf("rejected: %s: %s\n", cloister_report_error(report), cloister_report_detail(report));
  }
  return accepted ? 0 : 1;
}

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: verify FORMAT EVIDENCE UNIX_SECONDS COLLATERAL...\n");
    return 2;
  }
  if (cloister_abi_version() != CLOISTER_ABI_VERSION) {
    fprintf(stderr, "the library is of another interface version\n");
    return 2;
  }
  cloister_verifier *verifier = NULL;
  cloister_result result = cloister_verifier_new(&verifier);
  if (result == CLOISTER_OK) result = add_all(verifier, count - 4, arguments + 4);
  int status = 2;
  size_t size = 0;
  uint8_t *evidence = result == CLOISTER_OK ? read_file(arguments[2], &size) : NULL;
  if (result != CLOISTER_OK) {
    status = unusable(result);
  } else if (evidence != NULL) {
    const cloister_binding binding = {.not_compared = 1};
    cloister_report *report = NULL;
    result = cloister_verify(verifier, arguments[1], evidence, size, &binding,
                             strtoll(arguments[3], NULL, 10), &report);
    status = result == CLOISTER_OK ? print(report) : unusable(result);
    cloister_report_free(report);
  }
  free(evidence);
  cloister_verifier_free(verifier);
  return status;
}
