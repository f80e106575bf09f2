import type {RefObject} from 'preact';
import {useEffect, useLayoutEffect, useState} from 'preact/hooks';

import {Down, Lock, Send, Stop} from './icons';
import type {Protection} from './trust';
import {printable} from './trust';

interface Props {
  input: RefObject<HTMLTextAreaElement | null>;
  models: {id: string}[];
  model: string;
  set_model: (id: string) => void;
  busy: boolean;
  protection: Protection;
  send: (text: string) => void;
  stop: () => void;
}

const kMaxPromptChars = 1 << 20;

const kLeaves: Record<Protection, string> = {
  real:
    'What leaves your computer: this conversation, encrypted for one checked machine. Others see ' +
    'time, size and price.',
  development:
    'What leaves your computer: this conversation, encrypted for a simulated machine that ' +
    'protects nothing.',
  unknown:
    'What leaves your computer: this conversation, encrypted for the machine that answers. ' +
    'Others see time, size and price.',
};

export function Composer({input, models, model, set_model, busy, protection, send, stop}: Props) {
  const [draft, set_draft] = useState('');
  const ready = draft.trim() !== '' && model !== '';
  useEffect(() => input.current?.focus(), [input]);
  useLayoutEffect(() => grow(input.current), [draft, input]);

  const submit = (): void => {
    if (busy || !ready) return;
    send(draft.trim());
    set_draft('');
  };
  const on_key = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };

  return (
    <form
      class="composer"
      aria-label="Ask"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="field">
        <textarea
          ref={input}
          rows={1}
          value={draft}
          maxLength={kMaxPromptChars}
          aria-label="Your question"
          aria-describedby="leaves"
          placeholder="Ask something"
          autocomplete="off"
          onKeyDown={on_key}
          onInput={(event) => set_draft(event.currentTarget.value)}
        />
        <div class="controls">
          <ModelPicker models={models} model={model} set_model={set_model} />
          <button
            type="button"
            class="send"
            aria-disabled={!busy && !ready}
            aria-label={busy ? 'Stop' : 'Send'}
            onClick={busy ? stop : submit}
          >
            {busy ? <Stop /> : <Send />}
          </button>
        </div>
      </div>
      <p class="leaves" id="leaves">
        <Lock /> <span>{kLeaves[protection]}</span>
      </p>
    </form>
  );
}

function ModelPicker({models, model, set_model}: Pick<Props, 'models' | 'model' | 'set_model'>) {
  if (models.length === 0) return <p class="no-model">The network offers no model right now.</p>;
  return (
    <label class="picker">
      <span class="visually-hidden">Model</span>
      <select value={model} onChange={(event) => set_model(event.currentTarget.value)}>
        {models.map(({id}) => (
          <option key={id} value={id}>
            {printable(id)}
          </option>
        ))}
      </select>
      <Down />
    </label>
  );
}

// As tall as its text, up to the limit that the style sets.
function grow(area: HTMLTextAreaElement | null): void {
  if (area === null) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
}
