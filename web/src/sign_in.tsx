import {Arch} from './icons';
import type {Session} from './session';

const kWords = {
  no_token: 'This page opens with a key that only your own gateway knows.',
  refused: 'The gateway did not accept the key in this address. It may be from an earlier start.',
  unreachable: 'The gateway on this computer does not answer.',
  unready: 'The gateway answered, but it is not ready yet.',
};

// What a visitor sees who has no session: how to open the page, and nothing else.
export function SignIn({session, retry}: {session: Session; retry: () => void}) {
  if (session.kind !== 'closed')
    return (
      <p class="visually-hidden" role="status">
        Opening
      </p>
    );
  const can_retry = session.why === 'unreachable' || session.why === 'unready';
  return (
    <main class="sign-in">
      <div class="emblem">
        <Arch size={40} />
      </div>
      <h1>Open Cloister from your terminal</h1>
      <p role="alert">{kWords[session.why]}</p>
      <ol>
        <li>
          Start the gateway, for example with <code>cloister up</code>, and leave it running.
        </li>
        <li>
          It prints an address that starts with <code>{location.origin}/#</code>
        </li>
        <li>
          Open that whole address, with everything after the <code>#</code>.
        </li>
      </ol>
      <p class="small">
        The key stays on this computer. The page removes it from the address bar and keeps a cookie
        that scripts cannot read.
      </p>
      {can_retry && (
        <button type="button" class="primary" onClick={retry}>
          Try again
        </button>
      )}
    </main>
  );
}
