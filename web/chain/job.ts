// One prompt through the ledger: a job submitted, its drawn instance checked, the prompt sealed and
// posted, the proven result opened and its receipt compared. Nothing of the prompt leaves while a
// check fails. A job that is missed or refused is refunded by the ledger, and asked again.
import {type Bytes, join, text_bytes, to_hex} from '../sealed/bytes';
import {read_key_config, seal_request, type SealedRequest} from '../sealed/request';
import type {Account, Ledger} from './account';
import {choose_keys, type Proven, type Row, rows_after, rows_before} from './checks';
import {
  type Codec,
  cost_micro,
  decode,
  type Family,
  id_key,
  inline_payload,
  kInstance,
  kJob,
  kKeySet,
  kModel,
  kNetworkPolicy,
  kPolicyKey,
  kPostInput,
  kSession,
  kSubmitJob,
  open_receipt,
  type Payload,
  type Session,
} from './ledger';
import {sha256} from './ledger/tagged';
import type {Network} from './network';
import {
  answer_hash,
  describe_refusal,
  type Done,
  encode_request,
  FrameReader,
  kGeneratePath,
  type Request,
  request_hash,
} from './wire/messages';

const kMaxUnits = 20_000n;
const kPriceCapMicro = 10_000_000n;
const kLifetimeBlocks = 60n;
const kDeadlineMs = 10 * 60_000;
// What still fits the ledger's record once it is padded to a power of two and sealed.
const kMaxPromptBytes = 15_000;
const kMaxInline = 32 * 1024;
const kMaxResultBytes = 16 << 20;
const kBlockMs = 30_000;
const kDrawBlocks = 64;
const kMaxTries = 3;
const kMaxTokens = 256;

export type StepName = 'submitted' | 'drawn' | 'checked' | 'posted' | 'answered' | 'refunded';
export interface Step {
  name: StepName;
  text: string;
}

export interface Answer {
  text: string;
  rows: Row[];
  proven: Proven;
}

// Said to the user as it is. `again`: another try may do better.
export class JobError extends Error {
  constructor(
    message: string,
    readonly again = false,
    readonly rows: Row[] = [],
  ) {
    super(message);
  }
}

export interface JobParts {
  network: Network;
  ledger: Ledger;
  account: Account;
  now: () => number;
  on_step: (step: Step) => void;
}

export async function ask(parts: JobParts, prompt: string): Promise<Answer> {
  if (text_bytes(prompt).length > kMaxPromptBytes) {
    throw new JobError('the question is too long for the ledger: at most about 15,000 characters');
  }
  for (let tries = 1; ; ++tries) {
    try {
      return await new JobRun(parts).run(prompt);
    } catch (error) {
      const again = error instanceof JobError && error.again && tries < kMaxTries;
      if (!again) throw error;
      parts.on_step({name: 'refunded', text: `${error.message}; asked again`});
    }
  }
}

function make_request(prompt: string): Request {
  return {
    messages: [{role: 'user', content: prompt}],
    sampler: {
      temperature_micro: 0,
      top_k: 0,
      top_p_micro: 1_000_000,
      min_p_micro: 0,
      seed: crypto.getRandomValues(new Uint8Array(32)),
    },
    max_tokens: kMaxTokens,
    stops: [],
    salt: crypto.getRandomValues(new Uint8Array(32)),
  };
}

class JobRun {
  constructor(private readonly parts: JobParts) {}

  async run(prompt: string): Promise<Answer> {
    const {id, height} = await this.submit();
    const proven = await this.prove(await this.wait_drawn(id, height));
    const keys = await this.keys_of(proven);
    const rows = rows_before(proven, keys, this.parts.ledger);
    const failed = rows.find(({ok}) => !ok);
    if (failed || keys === undefined) {
      throw new JobError(`not sent: ${failed?.name}: ${failed?.found}`, false, rows);
    }
    this.step('checked', `${rows.length} checks hold; nothing was sent before`);
    const request = make_request(prompt);
    const content = encode_request(request);
    const sealed = await this.seal(proven, keys.config, content);
    const posted = await this.post(proven.session, sealed.message);
    const ended = await this.wait_end(proven.session.id, posted);
    const {text, done} = await this.open(ended, sealed);
    const after = await this.judge({...proven, session: ended}, request, content, text, done);
    this.step('answered', `${done.prompt_tokens} + ${done.completion_tokens} units`);
    return {text, rows: [...rows, ...after], proven: {...proven, session: ended}};
  }

  private step(name: StepName, text: string): void {
    this.parts.on_step({name, text});
  }

  private async record<T>(family: Family, key: Bytes, codec: Codec<T>, min_height = 0): Promise<T> {
    const {value} = await this.parts.ledger.read(family, key, min_height);
    if (value === undefined) throw new JobError(`the ledger has no such record: ${family}`);
    return decode(codec, value);
  }

  private async submit(): Promise<{id: Bytes; height: number}> {
    const model = this.parts.network.genesis.models[0];
    const deposit_micro = cost_micro(kMaxUnits, kPriceCapMicro);
    if (model === undefined || deposit_micro === undefined) {
      throw new JobError('the network serves no model');
    }
    const session = {
      model_root: model.root,
      requirement: {formats: [], tcb_statuses: [], diversity: 1, gpu: false},
      max_units: kMaxUnits,
      price_cap_micro: kPriceCapMicro,
      deposit_micro,
      lifetime_blocks: kLifetimeBlocks,
      allow_audit: false,
    };
    const {height, data} = await this.parts.account.send(kSubmitJob, {session});
    this.step('submitted', `at height ${height}`);
    return {id: data.slice() as Bytes, height};
  }

  // The draw comes two blocks after the request.
  private async wait_drawn(id: Bytes, height: number): Promise<Session> {
    for (let at = height; at < height + kDrawBlocks; ++at) {
      const session = await this.record('sessions', id_key(id), kSession, at);
      if (session.state === 'assigned' && session.instance) {
        this.step('drawn', `instance ${to_hex(session.instance).slice(0, 16)}…`);
        return session;
      }
      if (session.state !== 'requested') break;
      await this.parts.ledger.watch(at + 1, kBlockMs);
    }
    throw new JobError('the network has no node for this model now');
  }

  private async prove(session: Session): Promise<Proven> {
    const key = id_key(session.instance!);
    const [instance, policy, model] = await Promise.all([
      this.record('instances', key, kInstance),
      this.record('policy', kPolicyKey, kNetworkPolicy),
      this.record('models', id_key(session.model_root), kModel),
    ]);
    const height = this.parts.ledger.newest?.height ?? 0;
    return {network: this.parts.network, session, instance, policy, model, height};
  }

  private async keys_of({instance}: Proven) {
    const {value} = await this.parts.ledger.read('keys', id_key(instance.id));
    return value && choose_keys(decode(kKeySet, value), this.parts.now());
  }

  private async seal(
    {network, session, instance}: Proven,
    config: Bytes,
    content: Bytes,
  ): Promise<SealedRequest> {
    const profile = {
      chain_id: network.genesis.chain_id,
      payer: 'job' as const,
      id: to_hex(session.id),
      sequence: 1n,
      instance: to_hex(instance.id),
      model_root: to_hex(session.model_root),
      deadline_ms: this.parts.now() + kDeadlineMs,
      max_units: session.max_units,
      padding: 'default' as const,
    };
    const sealed = await seal_request(
      await read_key_config(config),
      profile,
      kGeneratePath,
      content,
    );
    if (sealed.message.length > kMaxInline) throw new JobError('the sealed question is too long');
    return sealed;
  }

  private async post(session: Session, message: Bytes): Promise<number> {
    const body = {job: session.id, instance: session.instance!, input: inline_payload(message)};
    const {height} = await this.parts.account.send(kPostInput, body);
    this.step('posted', `sealed, ${message.length} bytes, at height ${height}`);
    return height;
  }

  // The ledger ends every job by itself: this ends with it.
  private async wait_end(id: Bytes, height: number): Promise<Session> {
    for (let at = height; ; ++at) {
      const session = await this.record('sessions', id_key(id), kSession, at);
      if (session.state === 'closed') return session;
      if (session.state !== 'confirmed') {
        throw new JobError('the node gave no result; the ledger refunded the job', true);
      }
      if (session.due_height < BigInt(at)) throw new JobError('the ledger does not end the job');
      await this.parts.ledger.watch(at + 1, kBlockMs);
    }
  }

  private async open(ended: Session, {answer}: SealedRequest) {
    const job = await this.record('jobs', id_key(ended.id), kJob);
    if (job.result === undefined) throw new JobError('the ledger has no result of the job');
    const bytes = await this.bring(job.result);
    const frames = new FrameReader();
    let text = '';
    let done: Done | undefined;
    let data: Bytes;
    try {
      data = join(await answer.feed(bytes), await answer.end());
    } catch {
      throw new JobError('the result does not open', ended.cumulative_units === 0n);
    }
    for (const frame of frames.feed(data)) {
      if (done) throw new JobError('the answer goes on after its end');
      if (frame.kind === 'failed') {
        throw new JobError(`the node refused: ${describe_refusal(frame.refusal)}`, false);
      }
      if (frame.kind === 'text') text += frame.text;
      else done = frame;
    }
    if (!done || !frames.empty) throw new JobError('the answer has no proper end');
    return {text, done};
  }

  private async bring({inline_bytes, reference}: Payload): Promise<Bytes> {
    if (reference === undefined) return inline_bytes;
    const {blobs} = this.parts.network;
    const own = blobs !== undefined && reference.uri.startsWith(`${blobs}/blob/`);
    if (!own) throw new JobError("the result lies at a server that is not the network's");
    const response = await fetch(reference.uri, {redirect: 'error'});
    const bytes = new Uint8Array(await response.arrayBuffer());
    const whole = response.ok && bytes.length <= kMaxResultBytes;
    if (!whole || to_hex(await sha256(bytes)) !== to_hex(reference.sha256)) {
      throw new JobError('the blob server does not hand out what the ledger names');
    }
    return bytes;
  }

  private async judge(
    proven: Proven,
    request: Request,
    content: Bytes,
    text: string,
    done: Done,
  ): Promise<Row[]> {
    const receipt = await open_receipt(
      done.receipt,
      done.signature,
      proven.instance.identity_key,
    ).catch(() => {
      throw new JobError('the receipt is not signed by the instance');
    });
    const rows = rows_after(receipt, {
      proven,
      request_hash: await request_hash(content, request.salt),
      answer_hash: await answer_hash(text, done.answer_salt),
      prompt_tokens: done.prompt_tokens,
      completion_tokens: done.completion_tokens,
    });
    const failed = rows.find(({ok}) => !ok);
    if (failed) throw new JobError(`the answer is not accepted: ${failed.found}`, false, rows);
    return rows;
  }
}
