// One conversation, in the memory of this page only: nothing of it is stored anywhere.
import type {ChatMessage} from './api';
import {ask, get_receipt, is_abort} from './api';
import type {Problem} from './problem';
import {problem_of} from './problem';
import type {FinishReason, StreamPart} from './sse';
import type {TrustReport} from './trust';
import {read_report} from './trust';

export type ReceiptState =
  | {kind: 'waiting'} // the answer is not finished
  | {kind: 'loading'; id: string}
  | {kind: 'ready'; id: string; report: TrustReport; bundle: string}
  | {kind: 'absent'; why: string}
  | {kind: 'error'; id: string; problem: Problem};

export interface Turn {
  id: number;
  prompt: string;
  model: string;
  answer: string;
  reasoning: string;
  status: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  finish: FinishReason | undefined;
  tokens: number | undefined;
  seconds: number | undefined;
  problem: Problem | undefined;
  receipt: ReceiptState;
}

const kFlushMs = 50; // how often streamed text reaches the page
const kReceiptDelaysMs = [0, 300, 1000, 2500]; // a receipt may follow its answer by a moment

export class Chat {
  turns: readonly Turn[] = [];
  private listeners = new Set<() => void>();
  private running: {turn: number; abort: AbortController} | undefined;
  private next_id = 1;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  busy(): boolean {
    return this.running !== undefined;
  }

  async send(prompt: string, model: string): Promise<void> {
    if (this.busy()) return;
    const messages = [...history(this.turns), {role: 'user' as const, content: prompt}];
    const turn = new_turn(this.next_id++, prompt, model);
    this.running = {turn: turn.id, abort: new AbortController()};
    this.set([...this.turns, turn]);
    await this.run(turn.id, model, messages, this.running.abort.signal);
  }

  // Asks the last question again, in place of its failed answer.
  async retry(): Promise<void> {
    const last = this.turns.at(-1);
    if (this.busy() || last === undefined) return;
    this.set(this.turns.slice(0, -1));
    await this.send(last.prompt, last.model);
  }

  stop(): void {
    this.running?.abort.abort();
  }

  clear(): void {
    this.stop();
    this.running = undefined;
    this.set([]);
  }

  async load_receipt(turn: number, id: string): Promise<void> {
    this.change(turn, {receipt: {kind: 'loading', id}});
    try {
      this.change(turn, {receipt: await fetch_receipt(id)});
    } catch (error) {
      this.change(turn, {receipt: {kind: 'error', id, problem: problem_of(error)}});
    }
  }

  private async run(turn: number, model: string, messages: ChatMessage[], signal: AbortSignal) {
    const started_ms = performance.now();
    let receipt_id: string | undefined;
    let end: Partial<Turn>;
    try {
      const answer = await ask(model, messages, signal);
      receipt_id = answer.receipt_id;
      this.change(turn, {status: 'streaming'});
      await this.collect(turn, answer.parts);
      end = {status: 'done'};
    } catch (error) {
      end = is_abort(error) ? {status: 'stopped'} : {status: 'failed', problem: problem_of(error)};
    }
    if (this.running?.turn === turn) this.running = undefined;
    const absent = {kind: 'absent' as const, why: why_absent(end.status)};
    this.change(turn, {...end, seconds: (performance.now() - started_ms) / 1000, receipt: absent});
    // A failed answer has nothing to vouch for: what it shows is an error, whatever was signed.
    if (receipt_id !== undefined && end.status !== 'failed') {
      await this.load_receipt(turn, receipt_id);
    }
  }

  // Gathers what comes and passes it on in steps, so that the page is not redrawn for each token.
  private async collect(turn: number, parts: AsyncGenerator<StreamPart>): Promise<void> {
    let answer = '';
    let reasoning = '';
    const flush = (): void => this.change(turn, {answer, reasoning});
    const timer = setInterval(flush, kFlushMs);
    try {
      for await (const part of parts) {
        if (part.kind === 'text') answer += part.text;
        else if (part.kind === 'reasoning') reasoning += part.text;
        else if (part.kind === 'finish') this.change(turn, {finish: part.reason});
        else this.change(turn, {tokens: part.completion_tokens});
      }
    } finally {
      clearInterval(timer);
      flush();
    }
  }

  private change(turn: number, to: Partial<Turn>): void {
    this.set(this.turns.map((old) => (old.id === turn ? {...old, ...to} : old)));
  }

  private set(turns: readonly Turn[]): void {
    this.turns = turns;
    for (const listener of this.listeners) listener();
  }
}

async function fetch_receipt(id: string): Promise<ReceiptState> {
  for (const delay_ms of kReceiptDelaysMs) {
    await new Promise((resolve) => setTimeout(resolve, delay_ms));
    const bundle = await get_receipt(id);
    if (bundle === undefined) continue;
    const report = read_report(bundle.value, id);
    if (report === undefined) return {kind: 'absent', why: 'The receipt came without a report.'};
    return {kind: 'ready', id, report, bundle: bundle.text};
  }
  return {kind: 'absent', why: 'The gateway has no receipt for this answer.'};
}

// What the model is told of earlier turns: complete and stopped ones, not failed ones.
function history(turns: readonly Turn[]): ChatMessage[] {
  return turns
    .filter(({status, answer}) => status !== 'failed' && answer !== '')
    .flatMap(({prompt, answer}): ChatMessage[] => [
      {role: 'user', content: prompt},
      {role: 'assistant', content: answer},
    ]);
}

function new_turn(id: number, prompt: string, model: string): Turn {
  return {
    id,
    prompt,
    model,
    answer: '',
    reasoning: '',
    status: 'waiting',
    finish: undefined,
    tokens: undefined,
    seconds: undefined,
    problem: undefined,
    receipt: {kind: 'waiting'},
  };
}

function why_absent(status: Turn['status'] | undefined): string {
  if (status === 'stopped') return 'The answer was stopped before the machine signed for it.';
  if (status === 'failed') return 'There is no complete answer to verify.';
  return 'The gateway named no receipt for this answer.';
}
