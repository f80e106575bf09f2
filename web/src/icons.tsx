import type {Level} from './trust';

// Line icons, drawn here; all take the colour of the text beside them and say nothing to a reader.
function Icon({children, size = 20}: {children: preact.ComponentChildren; size?: number}) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      aria-hidden="true"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {children}
    </svg>
  );
}

const kShield = 'M12 2.8 4.8 5.6v5.7c0 4.5 3 8.1 7.2 9.9 4.2-1.8 7.2-5.4 7.2-9.9V5.6z';
const kMarks: Record<Level | 'pending' | 'absent', string> = {
  verified: 'm8.6 12.2 2.4 2.4 4.6-5',
  verified_older_firmware: 'M12 8v4.3l2.7 1.6',
  verified_by_network:
    'M12 8.6v2.6M12 11.2l-2.8 3.3M12 11.2l2.8 3.3M12 8.5v.1M9.1 14.7v.1M14.9 14.7v.1',
  development: 'M12 7.8v4.8M12 15.6v.1',
  failed: 'm9.4 9.6 5.2 5.2M14.6 9.6l-5.2 5.2',
  pending: 'M8.7 12h.1M12 12h.1M15.3 12h.1',
  absent: 'M9 12h6',
};

export function Shield({mark, size = 20}: {mark: Level | 'pending' | 'absent'; size?: number}) {
  const dashed = mark === 'development' || mark === 'absent';
  return (
    <Icon size={size}>
      <path d={kShield} stroke-dasharray={dashed ? '3 3.4' : undefined} />
      <path d={kMarks[mark]} stroke-width={2} />
    </Icon>
  );
}

export const Arch = ({size = 24}: {size?: number}) => (
  <Icon size={size}>
    <path d="M3.5 21V11.5a8.5 8.5 0 0 1 17 0V21M8.5 21v-8.5a3.5 3.5 0 0 1 7 0V21" />
  </Icon>
);
export const Send = () => (
  <Icon>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
);
export const Stop = () => (
  <Icon>
    <path d="M7.5 7.5h9v9h-9z" fill="currentColor" />
  </Icon>
);
export const Close = () => (
  <Icon>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
);
export const Plus = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);
export const Copy = () => (
  <Icon size={18}>
    <path d="M9 9h11v11H9zM15 9V4H4v11h5" />
  </Icon>
);
export const Save = () => (
  <Icon size={18}>
    <path d="M12 4v11M7 11l5 5 5-5M5 20h14" />
  </Icon>
);
export const Down = () => (
  <Icon size={18}>
    <path d="m6 9 6 6 6-6" />
  </Icon>
);
export const Again = () => (
  <Icon size={18}>
    <path d="M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4h-4" />
  </Icon>
);
export const Tick = () => (
  <Icon size={16}>
    <path d="m5 12.5 4.5 4.5L19 7.5" stroke-width={2.5} />
  </Icon>
);
export const Cross = () => (
  <Icon size={16}>
    <path d="m6.5 6.5 11 11M17.5 6.5l-11 11" stroke-width={2.5} />
  </Icon>
);
export const Warn = () => (
  <Icon>
    <path d="M12 3.5 2.5 20h19zM12 10v4.5M12 17.3v.1" />
  </Icon>
);
export const Lock = () => (
  <Icon size={16}>
    <path d="M5.5 10.5h13v10h-13zM8 10.5V7.5a4 4 0 0 1 8 0v3" />
  </Icon>
);
