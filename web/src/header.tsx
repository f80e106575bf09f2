import type {HealthState} from './hooks';
import {Arch, Plus, Warn} from './icons';
import {NetworkStatus} from './network';
import type {Protection} from './trust';

interface Props {
  health: HealthState;
  protection: Protection;
  can_clear: boolean;
  clear: () => void;
}

export function Header({health, protection, can_clear, clear}: Props) {
  return (
    <header>
      <div class="bar">
        <h1 class="brand">
          <Arch /> Cloister
        </h1>
        <NetworkStatus health={health} protection={protection} />
        {can_clear && (
          <button type="button" class="quiet" onClick={clear} aria-label="New chat">
            <Plus /> <span class="label">New chat</span>
          </button>
        )}
      </div>
      {protection === 'development' && <DevelopmentBanner />}
    </header>
  );
}

function DevelopmentBanner() {
  return (
    <div class="banner" role="note">
      <Warn />
      <p>
        <strong>development: no hardware protection</strong>
        <span> The machines of this network are simulated. Send nothing private.</span>
      </p>
    </div>
  );
}
