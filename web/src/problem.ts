// Every failure in plain words: what happened, and whether anything was sent.
import {ApiError} from './api';
import {StreamError} from './sse';
import {printable} from './trust';

export interface Problem {
  code: string;
  title: string;
  detail: string; // the gateway's own message, if it adds something
}

const kTitles: Record<string, string> = {
  unreachable: 'The gateway on this computer does not answer. Is it still running?',
  signed_out: 'This page is no longer signed in. Open the address that the gateway printed again.',
  bad_answer: 'The gateway sent something that this page does not understand.',
  stream_cut: 'The connection ended early. This answer is not complete.',
  stream_malformed: 'The answer broke the rules of the stream, so the page stopped reading it.',
  stream_too_long: 'The answer is longer than this page can show.',
  context_length_exceeded: 'This conversation is longer than the model can read. Start a new one.',
  unsupported_parameter: 'The model does not support something that was asked of it.',
  insufficient_balance: 'The balance does not cover this question.',
  policy_denied: 'The policy does not allow this question to be sent.',
  model_not_found: 'The network has no such model.',
  node_busy: 'Every machine that could answer is busy. Try again in a moment.',
  rate_limit_exceeded: 'Too many questions at once. Try again in a moment.',
  node_lost: 'The machine was lost before it finished. This answer is not complete.',
  decrypt_failed: 'The answer could not be decrypted, so it was thrown away.',
  no_verified_node: 'No machine passed verification, so nothing was sent.',
  attestation_failed: 'The machine did not prove what it is, so nothing was sent to it.',
  draining: 'The gateway is shutting down.',
  ledger_unreachable: 'The gateway cannot reach the ledger, so it cannot check anything.',
  node_refused: 'The machine refused this question.',
  receipt_invalid: 'The receipt of the machine does not hold, so the answer cannot be trusted.',
  request_too_large: 'This conversation is too long to send. Start a new one.',
  forbidden_origin: 'The gateway refused this page. Open the address that the gateway printed.',
  internal: 'The gateway made a mistake.',
};

export function problem_of(error: unknown): Problem {
  if (error instanceof ApiError || error instanceof StreamError) {
    const known = Object.hasOwn(kTitles, error.code) ? kTitles[error.code] : undefined;
    const title = known ?? 'The gateway could not answer.';
    return {code: printable(error.code), title, detail: printable(error.message)};
  }
  return {code: 'page_fault', title: 'This page made a mistake.', detail: String(error)};
}
