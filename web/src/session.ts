// Signing in. The gateway prints an address whose fragment is a token; the page trades it for a
// cookie and removes it from the address before anything else happens.
import type {Model} from './api';
import {ApiError, list_models, log_in} from './api';

export type Session =
  | {kind: 'opening'}
  | {kind: 'open'; models: Model[]}
  | {kind: 'closed'; why: 'no_token' | 'refused' | 'unreachable' | 'unready'};

const kToken = /^[\w.~+/=-]{1,512}$/;

export function take_token(): string | undefined {
  const fragment = location.hash.slice(1);
  if (fragment === '') return undefined;
  history.replaceState(null, '', location.pathname);
  return kToken.test(fragment) ? fragment : undefined;
}

export async function open_session(token: string | undefined): Promise<Session> {
  try {
    if (token !== undefined) await log_in(token);
    return {kind: 'open', models: await list_models()};
  } catch (error) {
    return {kind: 'closed', why: why_closed(error, token !== undefined)};
  }
}

function why_closed(error: unknown, had_token: boolean) {
  if (!(error instanceof ApiError)) return 'unready';
  if (error.code === 'unreachable') return 'unreachable';
  if (error.status !== 401 && error.status !== 403) return 'unready';
  return had_token ? 'refused' : 'no_token';
}
