import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';

import {Answer} from './answer';
import type {Chat} from './chat';
import {Down} from './icons';
import type {Protection} from './trust';
import {Welcome} from './welcome';

interface Props {
  chat: Chat;
  protection: Protection;
  shown: number | undefined;
  show: (turn: number) => void;
}

const kNearEndPx = 60;

export function Conversation({chat, protection, shown, show}: Props) {
  const scroller = useRef<HTMLElement>(null);
  const [at_end, set_at_end] = useState(true);
  const {turns} = chat;
  const last = turns.at(-1);

  const to_end = (): void => scroller.current?.scrollTo({top: scroller.current.scrollHeight});
  useLayoutEffect(() => {
    if (at_end) to_end();
  }, [turns, at_end]);
  useEffect(() => {
    set_at_end(true);
  }, [last?.id]); // a new question is always brought into view

  // For buttons that vanish when pressed.
  const keep_focus = (): void => scroller.current?.focus({preventScroll: true});
  const on_scroll = (): void => {
    const el = scroller.current;
    if (el) set_at_end(el.scrollHeight - el.scrollTop - el.clientHeight < kNearEndPx);
  };

  return (
    <main
      class="conversation"
      ref={scroller}
      onScroll={on_scroll}
      tabIndex={0}
      aria-label="Conversation"
      aria-busy={chat.busy()}
    >
      {turns.length === 0 && <Welcome protection={protection} />}
      {turns.map((turn) => (
        <article key={turn.id} class="turn" aria-label={`Question ${turn.id} and its answer`}>
          <div class="question" dir="auto">
            {turn.prompt}
          </div>
          <Answer
            turn={turn}
            open={shown === turn.id}
            show={() => show(turn.id)}
            reload={(id) => {
              void chat.load_receipt(turn.id, id);
              keep_focus();
            }}
            retry={
              turn === last
                ? () => {
                    void chat.retry();
                    keep_focus();
                  }
                : undefined
            }
          />
        </article>
      ))}
      {!at_end && (
        <button
          type="button"
          class="to-end"
          onClick={() => {
            to_end();
            keep_focus();
          }}
        >
          <Down /> Latest
        </button>
      )}
    </main>
  );
}
