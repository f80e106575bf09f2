import {memo} from './memo';
import type {ReceiptState, Turn} from './chat';
import {Again, Copy, Shield, Warn} from './icons';
import {Markdown} from './markdown_view';
import {use_copy} from './copy';
import type {Problem} from './problem';
import {kLevelWords, printable} from './trust';

interface Props {
  turn: Turn;
  open: boolean;
  show: () => void;
  reload: (receipt_id: string) => void;
  retry: (() => void) | undefined;
}

export function Answer({turn, open, show, reload, retry}: Props) {
  const running = turn.status === 'waiting' || turn.status === 'streaming';
  return (
    <div class={`answer ${turn.status}`}>
      {turn.reasoning !== '' && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <Text source={turn.reasoning} />
        </details>
      )}
      {turn.answer !== '' && <Text source={turn.answer} />}
      {turn.problem && (
        <ErrorBox problem={turn.problem} partial={turn.answer !== ''} retry={retry} />
      )}
      {note_of(turn) !== '' && <p class="note">{note_of(turn)}</p>}
      {turn.status !== 'failed' && (
        <div class="under">
          {running ? (
            <Working turn={turn} />
          ) : (
            <ReceiptButton
              turn={turn.id}
              receipt={turn.receipt}
              open={open}
              show={show}
              reload={reload}
            />
          )}
          {!running && turn.answer !== '' && <CopyAnswer text={turn.answer} />}
          {!running && <Meta turn={turn} />}
        </div>
      )}
    </div>
  );
}

const Text = memo(Markdown);

function Working({turn}: {turn: Turn}) {
  return (
    <span class="shield pending">
      <Shield mark="pending" />
      {turn.status === 'waiting'
        ? 'Nothing is sent before a machine is checked'
        : 'Answering; the receipt comes at the end'}
    </span>
  );
}

// The way to the report of this answer: words, icon and colour, never the colour alone.
function ReceiptButton({
  turn,
  receipt,
  open,
  show,
  reload,
}: {turn: number; receipt: ReceiptState} & Pick<Props, 'open' | 'show' | 'reload'>) {
  switch (receipt.kind) {
    case 'ready':
      return (
        <button
          type="button"
          id={`shield-${turn}`}
          class={`shield ${receipt.report.level}`}
          aria-expanded={open}
          aria-haspopup="dialog"
          onClick={show}
        >
          <Shield mark={receipt.report.level} />
          {kLevelWords[receipt.report.level].label}
        </button>
      );
    case 'error':
      return (
        <button
          type="button"
          class="shield absent"
          title={receipt.problem.title}
          onClick={() => reload(receipt.id)}
        >
          <Shield mark="absent" />
          Not verified: the receipt did not load. Try again
        </button>
      );
    case 'absent':
      return (
        <span class="shield absent">
          <Shield mark="absent" />
          Not verified. {receipt.why}
        </span>
      );
    default:
      return (
        <span class="shield pending">
          <Shield mark="pending" />
          Checking the receipt
        </span>
      );
  }
}

function ErrorBox({
  problem,
  partial,
  retry,
}: {
  problem: Problem;
  partial: boolean;
  retry: (() => void) | undefined;
}) {
  return (
    <div class="error">
      <Warn />
      <div>
        <p class="title">{problem.title}</p>
        {problem.detail !== '' && <p>{problem.detail}</p>}
        {partial && (
          <p>
            The text above is a fragment. It was not verified and is not part of the conversation.
          </p>
        )}
        <p class="small">
          <code>{problem.code}</code>
        </p>
      </div>
      {retry && (
        <button type="button" class="plain" onClick={retry}>
          <Again /> Try again
        </button>
      )}
    </div>
  );
}

function CopyAnswer({text}: {text: string}) {
  const [state, copy] = use_copy();
  return (
    <button type="button" class="quiet small" onClick={() => copy(text)}>
      <Copy /> {state === 'idle' ? 'Copy' : state === 'done' ? 'Copied' : 'Copying is not allowed'}
    </button>
  );
}

function Meta({turn}: {turn: Turn}) {
  const words = [printable(turn.model)];
  if (turn.tokens !== undefined) words.push(`${turn.tokens.toLocaleString('en')} tokens`);
  if (turn.seconds !== undefined) words.push(`${turn.seconds.toFixed(1)} s`);
  return (
    <span class="meta">
      {words.map((word) => (
        <span key={word}>{word}</span>
      ))}
    </span>
  );
}

function note_of(turn: Turn): string {
  if (turn.status === 'stopped') return 'Stopped by you.';
  if (turn.finish === 'length') return 'Cut off at the length limit.';
  if (turn.finish === 'content_filter') return 'Ended by a content filter.';
  if (turn.finish === 'tool_calls') return 'The model asked for a tool, which this page has not.';
  return '';
}
