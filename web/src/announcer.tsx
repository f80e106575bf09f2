import {useEffect, useRef, useState} from 'preact/hooks';

import type {Chat, Turn} from './chat';
import {kLevelWords} from './trust';

const kEveryMs = 3000;

// Reads the newest answer to a screen reader: whole sentences, every few seconds, never per token.
export function Announcer({chat}: {chat: Chat}) {
  const [text, set_text] = useState('');
  const said = useRef({turn: 0, chars: 0, end: ''});
  useEffect(() => {
    const speak = (): void => {
      const turn = chat.turns.at(-1);
      if (turn === undefined) return;
      if (said.current.turn !== turn.id) said.current = {turn: turn.id, chars: 0, end: ''};
      const news = take_news(turn, said.current);
      if (news !== '') set_text(news);
    };
    const timer = setInterval(speak, kEveryMs);
    return () => clearInterval(timer);
  }, [chat]);
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}

function take_news(turn: Turn, said: {chars: number; end: string}): string {
  const rest = turn.answer.slice(said.chars);
  const running = turn.status === 'waiting' || turn.status === 'streaming';
  const ready = running ? rest.slice(0, rest.search(/[.!?:\n][^.!?:\n]*$/) + 1) : rest;
  said.chars += ready.length;
  const end = running ? '' : end_words(turn);
  const fresh_end = end === said.end ? '' : end;
  said.end = end;
  return `${ready} ${fresh_end}`.trim();
}

function end_words(turn: Turn): string {
  if (turn.status === 'failed') return `Error. ${turn.problem?.title ?? ''}`;
  const ended = turn.status === 'stopped' ? 'Stopped.' : 'End of the answer.';
  const {receipt} = turn;
  if (receipt.kind === 'ready') return `${ended} ${kLevelWords[receipt.report.level].label}.`;
  if (receipt.kind === 'absent') return `${ended} Not verified.`;
  return ended;
}
