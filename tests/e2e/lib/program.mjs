// The built program, driven as a user drives it: words, standard output, signals and exit codes.
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export const kProgram = process.env.CLOISTER_PROGRAM;
const kStartTimeoutMs = 240_000;
const kStopTimeoutMs = 90_000;
const kCommandTimeoutMs = 60_000;
const kCallTimeoutMs = 180_000;

// All processes: their id, their parent's, and what the system shows of their start.
export function processes() {
  const out = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file) => {
      try {
        return readFileSync(`/proc/${name}/${file}`);
      } catch {
        return Buffer.alloc(0); // it ended meanwhile, or is another user's
      }
    };
    const after_name = read('stat').toString('latin1').split(') ').at(-1).split(' ');
    const [state, parent] = after_name;
    if (parent === undefined || state === 'Z') continue;
    out.push({
      pid: Number(name),
      parent: Number(parent),
      cmdline: read('cmdline'),
      environ: read('environ'),
    });
  }
  return out;
}

// A temporary folder, and a mark in the environment by which all that was started here is found.
export class Place {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'cloister-e2e-'));
    this.mark = randomBytes(12).toString('hex');
    this.work = join(this.folder, 'work'); // where commands run: empty
    this.data = join(this.folder, 'data');
    mkdirSync(this.work);
    mkdirSync(this.data);
    this.env = {...process.env, XDG_DATA_HOME: this.data, CLOISTER_E2E_MARK: this.mark};
  }

  left_over() {
    return processes()
      .filter(({pid}) => pid !== process.pid)
      .filter(({cmdline, environ}) => environ.includes(this.mark) || cmdline.includes(this.folder))
      .map(({pid, cmdline}) => `${pid}: ${cmdline.toString().replaceAll('\0', ' ')}`);
  }

  remove() {
    rmSync(this.folder, {recursive: true, force: true});
  }
}

// Runs to the end; never throws for an exit code, which is null when a signal or the time limit
// ended it.
export function run(place, words, {timeout_ms = kCommandTimeoutMs} = {}) {
  return launch(place, words, timeout_ms).ended;
}

function launch(place, words, timeout_ms) {
  const child = spawn(kProgram, words, {
    cwd: place.work,
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeout_ms,
    killSignal: 'SIGKILL',
  });
  const text = {out: '', err: ''};
  child.stdout.setEncoding('utf8').on('data', (more) => (text.out += more));
  child.stderr.setEncoding('utf8').on('data', (more) => (text.err += more));
  const stop_at_exit = () => child.kill('SIGTERM');
  process.once('exit', stop_at_exit);
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.removeListener('exit', stop_at_exit);
      resolve({code, signal, ...text});
    });
  });
  return {child, text, ended};
}

// `cloister up` in `place`, serving. Rejects with what it said when it ends instead.
export async function start_network(place, words = []) {
  const folder = join(place.folder, 'network');
  const all = ['up', '--dir', folder, '--port', '0', ...words];
  const {child, text, ended} = launch(place, all);
  const ready = new Promise((resolve) => {
    child.stdout.on('data', () => {
      if (/^API: .*\n/m.test(text.out)) resolve(true);
    });
  });
  const late = timer(kStartTimeoutMs);
  const first = await Promise.race([ready, ended, late.done]);
  late.cancel();
  if (first !== true) {
    child.kill('SIGKILL');
    throw new Error(`cloister up does not serve: ${text.err}${text.out}`);
  }
  return new Network(place, folder, child, text, ended);
}

class Network {
  constructor(place, folder, child, text, ended) {
    Object.assign(this, {place, folder, child, text, ended});
    this.page = text.out.match(/^Page: (\S+)$/m)[1];
    this.api = text.out.match(/^API: +(\S+) /m)[1];
    this.origin = new URL(this.page).origin;
    this.token = new URL(this.page).hash.slice(1);
  }

  // A request of the gateway's API with its token: a POST when there is a body.
  call(path, body) {
    return fetch(this.origin + path, {
      method: body ? 'POST' : 'GET',
      headers: {authorization: `Bearer ${this.token}`, 'content-type': 'application/json'},
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(kCallTimeoutMs),
    });
  }

  // The daemons by name: "ledger", "node-1", …, "gateway".
  daemons() {
    const out = {};
    for (const {pid, parent, cmdline} of processes()) {
      const config = cmdline.toString().match(/\/([a-z0-9-]+)\.toml\0$/);
      if (parent === this.child.pid && config) out[config[1]] = pid;
    }
    return out;
  }

  // What the user does: Ctrl-C. Returns what `up` said and its exit code.
  async stop() {
    this.child.kill('SIGINT');
    const late = timer(kStopTimeoutMs);
    const result = await Promise.race([this.ended, late.done]);
    late.cancel();
    if (result === undefined) {
      this.child.kill('SIGKILL');
      throw new Error('cloister up does not stop');
    }
    return result;
  }
}

function timer(time_ms) {
  let handle;
  const done = new Promise((resolve) => {
    handle = setTimeout(resolve, time_ms);
  });
  return {done, cancel: () => clearTimeout(handle)};
}
