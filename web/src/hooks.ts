import {useEffect, useReducer, useState} from 'preact/hooks';

import type {Health} from './api';
import {ApiError, get_health} from './api';
import type {Chat} from './chat';

const kHealthEveryMs = 10_000;

// Redraws whenever the conversation changes.
export function use_chat(chat: Chat): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => chat.subscribe(() => redraw(undefined)), [chat]);
}

export type HealthState =
  | {kind: 'unknown'}
  | {kind: 'lost'} // the gateway does not answer
  | {kind: 'unwell'} // it answers with an error
  | {kind: 'known'; health: Health};

// The network as the gateway sees it, asked every ten seconds while the page is in view.
export function use_health(): HealthState {
  const [state, set_state] = useState<HealthState>({kind: 'unknown'});
  useEffect(() => {
    const look = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        set_state({kind: 'known', health: await get_health()});
      } catch (error) {
        const lost = error instanceof ApiError && error.code === 'unreachable';
        set_state({kind: lost ? 'lost' : 'unwell'}); // the status line says it
      }
    };
    void look();
    const timer = setInterval(() => void look(), kHealthEveryMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return state;
}

// Calls `close` on the Escape key, wherever the focus is.
export function use_escape(close: (() => void) | undefined): void {
  useEffect(() => {
    if (close === undefined) return undefined;
    const on_key = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') close();
    };
    document.addEventListener('keydown', on_key);
    return () => document.removeEventListener('keydown', on_key);
  }, [close]);
}

export function use_media(query: string): boolean {
  const [matches, set_matches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = (): void => set_matches(list.matches);
    look();
    list.addEventListener('change', look);
    return () => list.removeEventListener('change', look);
  }, [query]);
  return matches;
}
