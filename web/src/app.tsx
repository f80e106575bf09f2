import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import {Announcer} from './announcer';
import {Chat} from './chat';
import {Composer} from './composer';
import {Conversation} from './conversation';
import {Header} from './header';
import {use_chat, use_health, use_media} from './hooks';
import type {Session} from './session';
import {open_session, take_token} from './session';
import {SignIn} from './sign_in';
import {previous_report, TrustPanel} from './trust_panel';

export function App() {
  const [session, set_session] = useState<Session>({kind: 'opening'});
  const token = useRef<string | undefined>(undefined);
  const open = useCallback(async () => {
    token.current = take_token() ?? token.current;
    set_session({kind: 'opening'});
    set_session(await open_session(token.current));
  }, []);
  useEffect(() => {
    void open();
    const on_hash = (): void => { if (location.hash.length > 1) void open(); };
    addEventListener('hashchange', on_hash);
    return () => removeEventListener('hashchange', on_hash);
  }, [open]);

  if (session.kind === 'open') return <Workspace models={session.models} />;
  return <SignIn session={session} retry={open} />;
}

function Workspace({models}: {models: {id: string}[]}) {
  const [chat] = useState(() => new Chat());
  const [model, set_model] = useState(models[0]?.id ?? '');
  const [shown, set_shown] = useState<number | undefined>(undefined);
  const input = useRef<HTMLTextAreaElement>(null);
  const health = use_health();
  const covered = use_media('(max-width: 63.99rem)') && shown !== undefined;
  use_chat(chat);

  const development = use_sticky(
      (health.kind === 'known' && health.health.level === 'development') ||
      chat.turns.some(({receipt}) => receipt.kind === 'ready' && receipt.report.level === 'development'));
  const close_panel = (): void => {
    document.getElementById(`shield-${shown}`)?.focus();
    set_shown(undefined);
  };
  const start_over = (): void => {
    set_shown(undefined);
    chat.clear();
    input.current?.focus();
  };
  const shown_turn = chat.turns.find((turn) => turn.id === shown);

  return (
    <div class="app" onKeyDown={(event) => { if (event.key === 'Escape' && shown) close_panel(); }}>
      <div class="column" inert={covered}>
        <Header health={health} development={development} can_clear={chat.turns.length > 0}
                clear={start_over} />
        <Conversation chat={chat} development={development} shown={shown}
                      show={(turn) => (turn === shown ? close_panel() : set_shown(turn))} />
        <Composer input={input} models={models} model={model} set_model={set_model}
                  busy={chat.busy()} development={development} stop={() => chat.stop()}
                  send={(text) => void chat.send(text, model)} />
      </div>
      {shown_turn?.receipt.kind === 'ready' && (
        <TrustPanel key={shown_turn.id} receipt={shown_turn.receipt} close={close_panel}
                    previous={previous_report(chat.turns, shown_turn.id)} modal={covered} />)}
      <Announcer chat={chat} />
    </div>
  );
}

// Once a development network was seen, the page keeps saying so.
function use_sticky(now: boolean): boolean {
  const seen = useRef(false);
  seen.current ||= now;
  return seen.current;
}
