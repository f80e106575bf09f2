import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import {Announcer} from './announcer';
import type {Model} from './api';
import {list_models} from './api';
import {Chat} from './chat';
import {Composer} from './composer';
import {Conversation} from './conversation';
import {Header} from './header';
import type {HealthState} from './hooks';
import {use_chat, use_escape, use_health, use_media} from './hooks';
import type {Session} from './session';
import {open_session, take_token} from './session';
import type {Protection} from './trust';
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
    const on_hash = (): void => {
      if (location.hash.length > 1) void open();
    };
    addEventListener('hashchange', on_hash);
    return () => removeEventListener('hashchange', on_hash);
  }, [open]);

  if (session.kind === 'open') return <Workspace models={session.models} />;
  return <SignIn session={session} retry={open} />;
}

function Workspace({models: first_models}: {models: Model[]}) {
  const [chat] = useState(() => new Chat());
  const [models, set_models] = useState(first_models);
  const [picked, set_model] = useState('');
  const [shown, set_shown] = useState<number | undefined>(undefined);
  const input = useRef<HTMLTextAreaElement>(null);
  const health = use_health();
  const covered = use_media('(max-width: 63.99rem)') && shown !== undefined;
  use_chat(chat);

  const model = picked || (models[0]?.id ?? '');
  useEffect(() => {
    // a network may be up before it has a model; the next look at it asks again
    if (models.length === 0) list_models().then(set_models, () => undefined);
  }, [health, models]);
  const protection = use_protection(health, chat);
  const close_panel = (): void => {
    const inside = document.getElementById('panel')?.contains(document.activeElement) ?? false;
    if (inside) document.getElementById(`shield-${shown}`)?.focus();
    set_shown(undefined);
  };
  use_escape(shown === undefined ? undefined : close_panel);
  const start_over = (): void => {
    set_shown(undefined);
    chat.clear();
    input.current?.focus();
  };
  const shown_turn = chat.turns.find((turn) => turn.id === shown);

  return (
    <div class="app">
      <div class="column" inert={covered}>
        <Header
          health={health}
          protection={protection}
          can_clear={chat.turns.length > 0}
          clear={start_over}
        />
        <Conversation
          chat={chat}
          protection={protection}
          shown={shown}
          show={(turn) => (turn === shown ? close_panel() : set_shown(turn))}
        />
        <Composer
          input={input}
          models={models}
          model={model}
          set_model={set_model}
          busy={chat.busy()}
          protection={protection}
          stop={() => chat.stop()}
          send={(text) => void chat.send(text, model)}
        />
      </div>
      {shown_turn?.receipt.kind === 'ready' && (
        <TrustPanel
          key={shown_turn.id}
          receipt={shown_turn.receipt}
          close={close_panel}
          previous={previous_report(chat.turns, shown_turn.id)}
          modal={covered}
        />
      )}
      <Announcer chat={chat} />
    </div>
  );
}

// Once a development network was seen, the page keeps saying so.
function use_protection(health: HealthState, chat: Chat): Protection {
  const development = useRef(false);
  const levels = chat.turns.flatMap(({receipt}) =>
    receipt.kind === 'ready' ? [receipt.report.level as string] : [],
  );
  if (health.kind === 'known' && health.health.level !== '') levels.push(health.health.level);
  development.current ||= levels.includes('development');
  if (development.current) return 'development';
  return levels.some((level) => level.startsWith('verified')) ? 'real' : 'unknown';
}
